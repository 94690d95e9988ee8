"""OutfitNet: item relevancy first, then users' tastes under attention. Re-implemented from its description."""
