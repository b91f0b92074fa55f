"""What OpenMeter's producers and readers speak: CloudEvents in, meter queries out."""
