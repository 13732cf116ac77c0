"""The Ray Tune run: what Tune calls (searcher, scheduler, callbacks) and how its results are recorded."""
