"""Turning videos into records of scores and costs."""
