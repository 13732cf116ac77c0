"""From a dataset to the tensors that a stack trains on: splits, scaling, texts, tables, augmentation."""
