"""What people see: the live page, its API and the replay report."""
