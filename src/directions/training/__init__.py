"""Training: the loop, its steps, checkpoints, several processes, and how a killed one resumes."""
