"""What Wan costs: counted from sizes, and as a workload to be timed."""
