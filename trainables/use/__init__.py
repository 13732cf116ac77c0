"""What is done with a trained network: saved, exported, used and watched."""
