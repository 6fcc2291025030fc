"""A metric of two frames from another package: mean squared error."""

from magbench.metrics import FrameMetric


def mse(generated, truth):
    """(n,) mean squared error of frame i against frame i; both (n, 3, H, W) float32 in [0, 1]."""
    return (generated.double() - truth.double()).square().mean(dim=(1, 2, 3)).numpy()


METRIC = FrameMetric(name="mse", version=1, better="lower", about="mean squared error, 0 if equal", function=mse)
