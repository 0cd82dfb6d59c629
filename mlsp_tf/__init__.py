"""What Keras lacks for teaching signal processing: `mlsp_tf.datasets`, `mlsp_tf.layers`, `mlsp_tf.plots`.

Importing this package loads nothing else; import the part that you need.
"""
