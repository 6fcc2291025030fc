"""magbench: does a video model still know the place when the camera comes back, and what does that cost?"""

__version__ = "0.1.0"
