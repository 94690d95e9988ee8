"""Where plugins start from: what ``outfitrec new-plugin`` writes."""
