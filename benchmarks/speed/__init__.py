"""What `bench_speed.py` measures, one file a question, and what it measures it with."""
