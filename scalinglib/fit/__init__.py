"""The engine: batched exact fits, curve fits, resamples and profiles. It knows no law."""
