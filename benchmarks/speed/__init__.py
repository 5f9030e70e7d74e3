"""What `bench_speed.py` measures, each part in a file, and the processes that it measures."""
