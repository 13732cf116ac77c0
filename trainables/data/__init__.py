"""From a dataset to what a stack trains on: splits, scaling, texts, tables, augmentation."""
