"""Which trial is trained next: the queue, the sampler, ASHA and the best trials; independent of Ray."""
