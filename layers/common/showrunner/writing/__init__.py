"""The offline writer's craft: it takes sentences from the sources and lets hosts present them, inventing nothing."""
