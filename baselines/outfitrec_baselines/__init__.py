"""Baselines of personalized outfit recommendation, as plugins of outfitrec. Imports nothing heavy."""

from outfitrec.hooks import Register, hookimpl

# Ends of the names of a suite's forms, and how their summaries begin.
FORMS = (
    ("", "the paper's: "),
    ("-closet", "short, for a small folder: "),
    ("-synthetic", "short, on the embedded dataset: "),
)


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the baselines and their recipes."""
    here = "outfitrec_baselines"
    for kind, name, target, summary in (
        ("aggregator", "items", "shared.items:ItemSet", "the items as they are"),
        (
            "preference",
            "compatibility",
            "shared.compatibility:Compatibility",
            "the outfit's own score; ignores the user",
        ),
        ("head", "by_category", "shared.by_category:ByCategory", "a head of its own for each category"),
        ("cold_start", "impersonal", "shared.impersonal:Impersonal", "scores of a method that knows no users"),
        ("preference", "fhn", "fhn.preference:FHN", "Fashion Hash Net: user–item and item–item products"),
        ("head", "lpae", "lpae.head:LPAEHead", "LPAE's item embedding"),
        ("aggregator", "lpae", "lpae.aggregator:LPAEAggregator", "LPAE's Set Transformer"),
        ("preference", "anchors", "lpae.preference:Anchors", "LPAE: cosines to the user's and to general anchors"),
        ("objective", "anchor_regularizer", "lpae.regularizer:AnchorRegularizer", "LPAE: keeps a user's anchors apart"),
        ("loss", "outer_bpr", "lpae.outer_bpr:OuterBPR", "BPR of all positives against all negatives of the step"),
        ("cold_start", "anchor_search", "lpae.anchor_search:AnchorSearch", "LPAE: anchors of the closest users"),
        ("cold_start", "user_search", "lpae.user_search:UserSearch", "LPAE: all anchors of the closest user"),
        (
            "cold_start",
            "anchor_optimization",
            "lpae.anchor_optimization:AnchorOptimization",
            "LPAE: anchors that are learned",
        ),
        (
            "preference",
            "relevancy",
            "outfitnet.relevancy:Relevancy",
            "OutfitNet, first stage: relevancy of pairs of items",
        ),
        ("objective", "item_relevancy", "outfitnet.objective:ItemRelevancy", "OutfitNet, first stage"),
        (
            "preference",
            "outfitnet",
            "outfitnet.preference:OutfitNet",
            "OutfitNet: tastes weighted by user-dependent attention",
        ),
        (
            "aggregator",
            "bi_lstm",
            "bi_lstm.aggregator:BiLSTM",
            "Bi-LSTM: how well each item is predicted from the others",
        ),
        ("objective", "sequence", "bi_lstm.objective:Sequence", "Bi-LSTM: cross-entropy of the next item"),
        ("aggregator", "type_aware", "type_aware.aggregator:TypeAware", "distances in the subspaces of pairs of types"),
        ("aggregator", "sce_net", "sce_net.aggregator:SCENet", "distances under similarity conditions"),
        (
            "objective",
            "triplet",
            "triplets.objective:Triplet",
            "each item nearer to its outfit's than to others of their type",
        ),
    ):
        register.component(kind, name, f"{here}.{target}", summary)
    for name, summary in (
        ("fhn", "Fashion Hash Net"),
        ("lpae-u", "LPAE with anchors of each user"),
        ("lpae-g", "LPAE with anchors of each user and general ones"),
        ("outfitnet-relevancy", "OutfitNet's first stage"),
        ("outfitnet", "OutfitNet, both stages"),
        ("bi-lstm", "Bi-LSTM"),
        ("type-aware", "Type-Aware embeddings"),
        ("sce-net", "SCE-Net"),
    ):
        recipes = f"{here}.recipes"
        register.recipe(name, f"{recipes}:{name}.yaml", f"{summary}, as the paper compares it")
        register.recipe(f"{name}-519", f"{recipes}:{name}-519.yaml", f"{summary}; 519 users")
        register.recipe(f"closet-{name}", f"{recipes}:closet-{name}.yaml", f"short: {summary}")
        if not name.startswith("outfitnet"):
            register.recipe(f"{name}-original", f"{recipes}:{name}-original.yaml", f"{summary}, as its published code")
        if name.startswith("lpae"):
            register.recipe(f"{name}-cold-start", f"{recipes}:{name}-cold-start.yaml", f"{summary}, and unknown users")
            file = f"{name}-cold-start-519"
            register.recipe(file, f"{recipes}:{file}.yaml", f"{summary}, and unknown users; 519 users")
            file = f"closet-{name}-cold-start"
            register.recipe(file, f"{recipes}:{file}.yaml", f"short: {summary}, and unknown users")
    for name, summary in (
        ("synthetic-outfitnet-relevancy", "OutfitNet, first stage"),
        ("synthetic-outfitnet", "OutfitNet"),
    ):
        register.recipe(name, f"{recipes}:{name}.yaml", f"short, embedded dataset: {summary}")
    for name, summary in (
        ("table2", "all methods compared"),
        ("table3", "unknown users, served by a few outfits"),
        ("table4", "all methods among hard negatives"),
    ):
        for form, said in FORMS:
            register.suite(f"{name}{form}", f"{here}.suites:{name}{form}.yaml", f"{said}{summary}")
