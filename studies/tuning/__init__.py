"""Ray Tune and Optuna at work on a plan: the only place that knows either."""
