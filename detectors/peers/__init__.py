"""Methods others use, as banks of the same contract: for users to compare with, and for the benchmark."""
