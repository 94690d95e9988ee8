"""The built-in components, registered through the same hook as anybody's. Imports nothing heavy."""

from outfitrec.hooks import Register, hookimpl

# Ends of the names of a suite's forms, and how their summaries begin.
FORMS = (
    ("", "the paper's: "),
    ("-closet", "short, for a small folder: "),
    ("-synthetic", "short, on the embedded dataset: "),
)


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the built-in components and recipes."""
    here = "outfitrec.plugins"
    for kind, name, target, summary in (
        ("loss", "npair", "losses.npair:NPair", "N-pair loss over a pair's negatives"),
        ("loss", "bpr", "losses.bpr:BPR", "Bayesian personalised ranking, one term a negative"),
        ("distiller", "fnd", "distillers.fnd:FND", "false negative distillation: the teacher's weights"),
        ("contrast", "nt_xent", "contrasts.nt_xent:NTXent", "each view against all other views of the step"),
        ("contrast", "supervised", "contrasts.supervised:Supervised", "views of one user attract each other"),
        ("augmenter", "identity", "augmenters.identity:Identity", "the outfit as it is"),
        ("augmenter", "erase", "augmenters.erase:Erase", "one item removed"),
        ("augmenter", "replace", "augmenters.replace:Replace", "one item replaced by a similar one"),
        ("encoder", "alexnet", "encoders.alexnet:AlexNet", "AlexNet, large, m, s or xs, with an item encoder"),
        ("encoder", "torchvision", "encoders.torchvision:TorchvisionEncoder", "any backbone of torchvision"),
        ("encoder", "features", "encoders.features:Features", "precomputed item features"),
        ("encoder", "autoencoder", "encoders.autoencoder:Autoencoder", "a convolutional autoencoder's latent features"),
        ("head", "item_encoder", "heads.item_encoder:ItemEncoder", "two fully connected layers"),
        ("head", "linear", "heads.linear:Linear", "one linear layer"),
        ("head", "identity", "heads.identity:Identity", "the features as they are"),
        ("aggregator", "set_transformer", "aggregators.set_transformer:SetTransformer", "Set Transformer"),
        ("aggregator", "mean", "aggregators.mean:Mean", "mean of an outfit's items"),
        ("preference", "cosine", "preferences.cosine:Cosine", "cosine of user and outfit embeddings"),
        ("objective", "ranking", "objectives.ranking:Ranking", "ranking loss, with a distiller's weights"),
        ("objective", "contrastive", "objectives.contrastive:Contrastive", "two views of an outfit attract each other"),
        ("objective", "rank_distillation", "objectives.rank_distillation:RankDistillation", "the teacher's top k"),
        ("objective", "score_regression", "objectives.score_regression:ScoreRegression", "the teacher's scores"),
        ("objective", "hint", "objectives.hint:Hint", "the teacher's embeddings, through a regressor"),
        ("objective", "relational", "objectives.relational:Relational", "the teacher's distances and angles"),
        ("objective", "reconstruction", "objectives.reconstruction:Reconstruction", "photos from features"),
        ("negatives", "random_mix", "negatives.random_mix:RandomMix", "items drawn at random, slot by slot"),
        ("negatives", "hard", "negatives.hard:Hard", "outfits that other users posted"),
        ("negatives", "mixed", "negatives.mixed:Mixed", "hard and random ones, in a given share"),
        ("negatives", "stored", "negatives.stored:Stored", "the negatives that the dataset stores"),
        ("dataset", "folder", "datasets.folder:Folder", "one's own photos, and a CSV table of users' outfits"),
        ("dataset", "ifashion", "datasets.ifashion:Ifashion", "a folder in the layout of Alibaba iFashion (POG)"),
        ("dataset", "iqon3000", "datasets.iqon3000:Iqon3000", "a folder in the layout of IQON3000"),
        ("dataset", "polyvore_u", "datasets.polyvore_u:PolyvoreU", "a folder in the Polyvore-U layout"),
        ("dataset", "polyvore_outfits", "datasets.polyvore_outfits:PolyvoreOutfits", "Polyvore Outfits: no users"),
        ("dataset", "maryland_polyvore", "datasets.maryland_polyvore:MarylandPolyvore", "Maryland Polyvore: no users"),
        ("dataset", "synthetic", "datasets.synthetic:Synthetic", "drawn garments and simulated users"),
        ("metric", "auc", "metrics.auc:AUC", "area under the ROC curve"),
        ("metric", "ndcg", "metrics.ndcg:NDCG", "NDCG, mean over all ranks (the paper's)"),
        ("metric", "ndcg_at", "metrics.ndcg_at:NDCGAt", "NDCG of the first k"),
        ("metric", "hit_rate", "metrics.hit_rate:HitRate", "share of users with a positive in the first k"),
        ("cold_start", "average", "cold_starts.average:Average", "mean score of the similar users"),
        ("cold_start", "weighted_average", "cold_starts.weighted_average:WeightedAverage", "the same, weighted"),
        ("optimizer", "sgd", "optimizers.sgd:SGD", "stochastic gradient descent with momentum"),
        ("optimizer", "adam", "optimizers.adam:Adam", "Adam"),
        ("optimizer", "adamw", "optimizers.adamw:AdamW", "Adam with decoupled weight decay"),
        ("schedule", "constant", "schedules.constant:Constant", "the same learning rate throughout"),
        ("schedule", "cosine", "schedules.cosine:CosineSchedule", "cosine annealing, with warm-up"),
        ("schedule", "one_cycle", "schedules.one_cycle:OneCycle", "one cycle up and down"),
        ("schedule", "step", "schedules.step:StepSchedule", "times gamma every so many epochs"),
        ("schedule", "exponential", "schedules.exponential:Exponential", "times gamma every epoch"),
        ("schedule", "plateau", "schedules.plateau:Plateau", "times factor when validation stops improving"),
        ("logger", "tensorboard", "loggers.tensorboard:TensorBoard", "event files for TensorBoard"),
        ("logger", "wandb", "loggers.wandb:WeightsAndBiases", "a run of Weights & Biases"),
        ("logger", "mlflow", "loggers.mlflow:MLflow", "a run of MLflow"),
    ):
        register.component(kind, name, f"{here}.{target}", summary)
    for name, summary in (
        ("quickstart", "teacher, then student, on the embedded dataset, in minutes"),
        ("teacher", "the paper's teacher: AlexNet-large with the N-pair loss"),
        ("npair", "the paper's student with the N-pair loss alone"),
        ("bpr", "the paper's student with BPR, one negative a pair"),
        ("fnd", "the paper's student with false negative distillation"),
        ("fnd-cl", "the same, with contrastive learning: the paper's method in full"),
        ("student-s", "fnd-cl with AlexNet s"),
        ("student-m", "fnd-cl with AlexNet m"),
        ("fnd-hard", "fnd among hard negatives"),
        ("fnd-cl-hard", "fnd-cl among hard negatives"),
        ("cold-start", "fnd-cl, and unknown users served by a few outfits"),
    ):
        register.recipe(name, f"outfitrec.recipes:{name}.yaml", summary)
        if name != "quickstart":
            register.recipe(f"{name}-519", f"outfitrec.recipes:{name}-519.yaml", f"{summary}; 519 users")
    for name, summary in (
        ("autoencoder", "latent features by which items are similar"),
        ("closet-teacher", "short: the teacher, on frozen features of a small folder"),
        ("closet-npair", "short: the N-pair loss alone"),
        ("closet-bpr", "short: BPR"),
        ("closet-fnd", "short: false negative distillation"),
        ("closet-fnd-cl", "short: with contrastive learning"),
        ("closet-fnd-cl-36", "short: with contrastive learning, one or two tops"),
        ("closet-fnd-hard", "short: fnd among hard negatives"),
        ("closet-fnd-cl-hard", "short: fnd-cl among hard negatives"),
        ("closet-cold-start", "short: fnd-cl, and unknown users"),
        ("synthetic-encoder", "short, embedded dataset: the network whose features the others see"),
        ("synthetic-teacher", "short, embedded dataset: the teacher"),
        ("synthetic-npair", "short, embedded dataset: the N-pair loss alone"),
        ("synthetic-bpr", "short, embedded dataset: BPR"),
        ("synthetic-fnd", "short, embedded dataset: false negative distillation"),
        ("synthetic-fnd-cl", "short, embedded dataset: with contrastive learning"),
    ):
        register.recipe(name, f"outfitrec.recipes:{name}.yaml", summary)
    for name, summary in (
        ("table5", "size and cost of teacher and students"),
        ("figure4", "quality by alpha, beside N-pair and BPR"),
        ("figure5", "quality by the pair of augmentations"),
        ("figure6", "quality by model size"),
        ("figure7", "quality by batch size"),
        ("figure8", "users and outfits in the teacher's space"),
    ):
        for form, said in FORMS:
            register.suite(f"{name}{form}", f"outfitrec.suites:{name}{form}.yaml", f"{said}{summary}")
