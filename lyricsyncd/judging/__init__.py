"""Judge a placement: confidences, the score, calibration, agreement of two models."""
