"""What is trained next: the queue of trials, the sampler, ASHA, the best trials; nothing of Ray."""
