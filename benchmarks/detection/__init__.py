"""How well the detectors detect, side by side: `python -m benchmarks.detection`."""
