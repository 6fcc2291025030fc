"""Standard quality of a return from its frames alone: no truth, no weights. See docs/quality.md."""

from magbench.quality.metric import QualityMetric
from magbench.quality.registry import QUALITY, measure

__all__ = ["QUALITY", "QualityMetric", "measure"]
