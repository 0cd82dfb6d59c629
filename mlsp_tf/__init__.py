"""What Keras lacks for teaching signal processing: data in `mlsp_tf.datasets`, pictures in `mlsp_tf.plots`.

Importing this package loads nothing else; import the part that you need.
"""
