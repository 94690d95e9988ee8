"""The engine: protocols, registry, recipes, data, training, evaluation and runs. It knows no concrete component."""
