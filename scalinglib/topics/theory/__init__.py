"""Why losses fall as powers: models that can be solved, and what each makes of an exponent."""
