"""Self-hosted usage metering and usage-based billing; see docs/ for what it does and how."""

__version__ = "0.1.0"
