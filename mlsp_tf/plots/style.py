"""What the plots share: colours, dashes, and the Axes to draw into."""

# Okabe and Ito, "Color universal design" (2008), without its yellow, which is faint on white
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", "-.", ":")


def axes_or_new(ax):
    """The Axes that was given, or that of a new small figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(7, 2.5))[1]


def next_style(ax, drawn):
    """Colour and dash for the curve after `drawn` others in this Axes."""
    return {"color": COLOURS[drawn % len(COLOURS)], "linestyle": DASHES[drawn % len(DASHES)]}


def finish(ax, label):
    """A faint grid and, if the curve has a name, a legend, which stands above the Axes and covers nothing."""
    ax.grid(alpha=0.3)
    if label is not None:
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False, borderaxespad=0.1)
    return ax
