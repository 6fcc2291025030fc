"""Standard quality of a return from its frames alone: no truth, no weights. See docs/quality.md."""

from magbench.quality.footage import Given
from magbench.quality.metric import QualityMetric
from magbench.quality.registry import QUALITY, measure, measure_after

__all__ = ["QUALITY", "Given", "QualityMetric", "measure", "measure_after"]
