"""What the shipped recipes must say: by recipe and dotted key, an entry of a list by its bare name.

The values of ``-original`` recipes are those of the methods' published code, inherited ones among them.
"""

from typing import Any

Values = dict[str, Any]

# The sizes and settings that all methods are compared with.
_COMPARED: Values = {
    "dataset.name": "polyvore_u",
    "dataset.users": 630,
    "image.size": 291,
    "image.flip": True,
    "model.dim": 128,
    "model.encoder.name": "alexnet",
    "model.encoder.size": "xs",
    "model.encoder.weights": "imagenet",
    "train.epochs": 50,
    "train.batch": 32,
    "train.lr_batch": 32,
    "train.optimizer.name": "sgd",
    "train.optimizer.lr": 0.1,
    "train.optimizer.momentum": 0.9,
    "train.optimizer.weight_decay": 1e-6,
    "train.groups.encoder.backbone.lr": 0.01,
    "train.clip_norm": None,
    "train.clip_value": None,
    "train.schedule.name": "cosine",
    "evaluate.negatives.name": "stored",
}
_CLOSET: Values = {
    "dataset.users": 40,
    "image.size": 64,
    "model.dim": 128,
    "model.encoder.name": "torchvision",
    "model.encoder.architecture": "squeezenet1_1",
    "model.encoder.frozen": True,
    "model.encoder.weights": "imagenet",
    "train.epochs": 20,
    "train.batch": 32,
    "train.optimizer.name": "sgd",
    "train.optimizer.lr": 0.01,
    "train.optimizer.momentum": 0.9,
    "train.schedule.name": "cosine",
}
_BPR: Values = {
    "negatives.name": "random_mix",
    "negatives.share": "pair",
    "negatives.count": 1,
    "objectives.ranking.name": "ranking",
    "objectives.ranking.loss.name": "bpr",
    "objectives.ranking.loss.temperature": 0.1,
}
_FHN: Values = {
    "model.encoder.head.name": "outfitrec-baselines/by_category",
    "model.encoder.head.head.name": "item_encoder",
    "model.encoder.head.head.dropout": 0.5,
    "model.aggregator.name": "outfitrec-baselines/items",
    "model.preference.name": "outfitrec-baselines/fhn",
    "model.preference.binary": False,
    "model.preference.scale": 10.0,
    "model.preference.duplicate": True,
    "train.clip_norm": 1.0,
}
_LPAE: Values = {
    "model.encoder.head.name": "outfitrec-baselines/lpae",
    "model.encoder.head.dropout": 0.2,
    "model.aggregator.name": "outfitrec-baselines/lpae",
    "model.aggregator.heads": 4,
    "model.aggregator.blocks": 2,
    "model.preference.name": "outfitrec-baselines/anchors",
    "model.preference.score": "sum",
    "objectives.ranking.loss.temperature": 1.0,
    "objectives.anchor_regularizer.name": "outfitrec-baselines/anchor_regularizer",
    "objectives.anchor_regularizer.weight": 0.01,
}
_ANCHORS: dict[str, Values] = {
    "lpae-u": {"model.preference.anchors": 64, "model.preference.general": 0},
    "lpae-g": {"model.preference.anchors": 32, "model.preference.general": 32},
}
_RELEVANCY: Values = {
    "model.aggregator.name": "outfitrec-baselines/items",
    "model.preference.name": "outfitrec-baselines/relevancy",
    "objectives.item_relevancy.name": "outfitrec-baselines/item_relevancy",
    "objectives.item_relevancy.temperature": 0.1,
}
_OUTFITNET: Values = {
    "start.name": "outfitnet-relevancy",
    "model.aggregator.name": "outfitrec-baselines/items",
    "model.preference.name": "outfitrec-baselines/outfitnet",
    "model.preference.taste": "cosine",
}
_BI_LSTM: Values = {
    "model.encoder.head.name": "linear",
    "model.encoder.head.bias": False,
    "model.aggregator.name": "outfitrec-baselines/bi_lstm",
    "model.aggregator.temperature": 0.1,
    "model.aggregator.hidden": None,
    "model.aggregator.dropout": 0.3,
    "model.aggregator.end_token": True,
    "model.aggregator.similarity": "dot",
    "model.aggregator.candidate_set": "all",
    "model.preference.name": "outfitrec-baselines/compatibility",
    "objectives.sequence.name": "outfitrec-baselines/sequence",
    "objectives.sequence.weight": 1.0,
    "train.clip_norm": 5.0,
}
_TRIPLETS: Values = {
    "model.encoder.head.name": "linear",
    "model.encoder.head.bias": True,
    "model.preference.name": "outfitrec-baselines/compatibility",
    "objectives.triplet.name": "outfitrec-baselines/triplet",
    "objectives.triplet.embed_weight": 5e-4,
    "objectives.triplet.mask_weight": 5e-4,
    "objectives.triplet.similarity_weight": 5e-5,
    "objectives.triplet.similarity": "intent",
}
_TYPE_AWARE: Values = {
    **_TRIPLETS,
    "model.aggregator.name": "outfitrec-baselines/type_aware",
    "model.aggregator.projection": "mask",
    "model.aggregator.normalize": True,
    "model.aggregator.bare_masks": False,
    "objectives.triplet.margin": 0.3,
}
_SCE_NET: Values = {
    **_TRIPLETS,
    "model.aggregator.name": "outfitrec-baselines/sce_net",
    "model.aggregator.conditions": 5,
    "model.aggregator.branch": "pair",
    "objectives.triplet.margin": 0.2,
}
_PLATEAU: Values = {
    "train.schedule.name": "plateau",
    "train.schedule.factor": 0.5,
    "train.schedule.patience": 10,
    "train.schedule.threshold_mode": "rel",
    "train.schedule.cooldown": 10,
}
_LPAE_ORIGINAL: Values = {
    **_COMPARED,
    **_BPR,
    **_LPAE,
    **_PLATEAU,
    "image.flip": False,
    "model.encoder.name": "torchvision",
    "model.encoder.size": "absent",
    "model.encoder.architecture": "resnet34",
    "model.encoder.frozen": True,
    "model.encoder.norm": False,
    "objectives.ranking.loss.name": "outfitrec-baselines/outer_bpr",
    "train.schedule.threshold": 1e-4,
    "train.epochs": 200,
    "train.batch": 256,
    "train.lr_batch": None,
    "train.groups.encoder.backbone.lr": "absent",
    "train.clip_value": 0.5,
    "train.select": "auc",
    "evaluate.metrics.auc.name": "auc",
    "evaluate.metrics.ndcg.name": "ndcg",
}
# ResNet-18 up to its third stage, and Adam: Type-Aware embeddings and SCE-Net.
_RESNET: Values = {
    "image.size": 112,
    "model.dim": 64,
    "model.encoder.name": "torchvision",
    "model.encoder.size": "absent",
    "model.encoder.architecture": "resnet18",
    "model.encoder.last": "layer3",
    "model.encoder.frozen": False,
    "model.encoder.norm": False,
    "train.lr_batch": None,
    "train.optimizer.name": "adam",
    "train.optimizer.lr": 5e-5,
    "train.optimizer.momentum": "absent",
    "train.optimizer.beta1": 0.9,
    "train.optimizer.beta2": 0.999,
    "train.optimizer.weight_decay": 0.0,
    "train.groups.encoder.backbone.lr": None,
    "train.groups.encoder.backbone.weight_decay": None,
    "train.schedule.name": "exponential",
    "train.schedule.gamma": 0.985,
}
_COLD: Values = {
    "evaluate.cold_start.dataset.name": "polyvore_u",
    "evaluate.cold_start.dataset.users": 53,
    "evaluate.cold_start.strategies.anchor_search.name": "outfitrec-baselines/anchor_search",
    "evaluate.cold_start.profiles": [1, 5],
    "evaluate.cold_start.draws": 10,
}
_SYNTHETIC: dict[str, Any] = {
    "dataset.name": "synthetic",
    "image.size": 64,
    "model.encoder.name": "torchvision",
    "model.encoder.frozen": True,
    "train.epochs": 20,
    "train.batch": 64,
    "train.optimizer.name": "adam",
    "train.optimizer.lr": 0.001,
}


VALUES: dict[str, Values] = {
    "fhn": {
        **_COMPARED,
        **_BPR,
        **_FHN,
        "train.optimizer.lr": 0.01,
        "train.groups.encoder.backbone.lr": 0.002,
        "train.groups.preference.user.lr": 1.0,
    },
    "outfitnet-relevancy": {**_COMPARED, **_RELEVANCY},
    "outfitnet": {**_COMPARED, **_BPR, **_OUTFITNET},
    "bi-lstm": {**_COMPARED, **_BI_LSTM},
    "type-aware": {**_COMPARED, **_TYPE_AWARE},
    "sce-net": {**_COMPARED, **_SCE_NET},
    **{name: {**_COMPARED, **_BPR, **_LPAE, **anchors} for name, anchors in _ANCHORS.items()},
}
for _name, _values in tuple(VALUES.items()):
    VALUES[f"{_name}-519"] = {**_values, "dataset.users": 519}
VALUES["outfitnet-519"]["start.name"] = "outfitnet-relevancy-519"

VALUES |= {
    "fhn-original": {
        **_COMPARED,
        **_BPR,
        **_FHN,
        **_PLATEAU,
        "train.schedule.threshold": 0.05,
        "model.encoder.size": "large",
        "model.encoder.fc_mode": "sliding",
        "model.encoder.dropout": 0.5,
        "model.preference.binary": True,
        "model.preference.gamma": 1.0,
        "objectives.ranking.loss.temperature": 1.0,
        "train.epochs": 100,
        "train.batch": 64,
        "train.lr_batch": None,
        "train.clip_norm": None,
        "train.optimizer.lr": 0.01,
        "train.groups.encoder.backbone.lr": 0.001,
        "train.groups.encoder.layers.lr": 0.005,
        "train.groups.preference.user.lr": 5.0,
    },
    "bi-lstm-original": {
        **_COMPARED,
        **_BI_LSTM,
        "image.size": 299,
        "model.dim": 512,
        "model.encoder.name": "torchvision",
        "model.encoder.size": "absent",
        "model.encoder.architecture": "inception_v3",
        "model.encoder.last": None,
        "model.encoder.frozen": False,
        "model.encoder.norm": False,
        "model.aggregator.temperature": 1.0,
        "train.epochs": 50,
        "train.batch": 10,
        "train.lr_batch": None,
        "train.optimizer.lr": 0.2,
        "train.optimizer.momentum": 0.0,
        "train.optimizer.weight_decay": 0.0,
        "train.groups.encoder.backbone.lr": None,
        "train.groups.encoder.backbone.weight_decay": 4e-5,
        "train.schedule.name": "step",
        "train.schedule.step_size": 2,
        "train.schedule.gamma": 0.5,
    },
    "type-aware-original": {
        **_COMPARED,
        **_TYPE_AWARE,
        **_RESNET,
        "model.aggregator.bare_masks": True,
        "objectives.triplet.similarity": "as_in_code",
        "train.epochs": 10,
        "train.batch": 85,
    },
    "sce-net-original": {
        **_COMPARED,
        **_SCE_NET,
        **_RESNET,
        "objectives.triplet.embed_weight": 5e-3,
        "objectives.triplet.similarity_weight": 0.0,
        "train.epochs": 15,
        "train.batch": 32,
    },
    "closet-fhn": {
        **_CLOSET,
        **_BPR,
        **_FHN,
        "objectives.ranking.loss.temperature": 0.2,
        "train.groups.preference.user.lr": 3.0,
    },
    "closet-outfitnet-relevancy": {**_CLOSET, **_RELEVANCY},
    "closet-outfitnet": {
        **_CLOSET,
        **_BPR,
        **_OUTFITNET,
        "start.name": "closet-outfitnet-relevancy",
        "objectives.ranking.loss.temperature": 0.05,
        "train.optimizer.lr": 0.03,
    },
    "synthetic-outfitnet-relevancy": {**_RELEVANCY, **_SYNTHETIC, "start.name": "synthetic-encoder"},
    "synthetic-outfitnet": {
        **_BPR,
        **_OUTFITNET,
        **_SYNTHETIC,
        "start.name": "synthetic-outfitnet-relevancy",
        "objectives.ranking.loss.temperature": 0.1,
    },
    "closet-bi-lstm": {**_CLOSET, **_BI_LSTM},
    "closet-type-aware": {**_CLOSET, **_TYPE_AWARE},
    "closet-sce-net": {**_CLOSET, **_SCE_NET},
}
for _name, _anchors in _ANCHORS.items():
    VALUES[f"{_name}-original"] = {**_LPAE_ORIGINAL, **_anchors}
    VALUES[f"closet-{_name}"] = {**_CLOSET, **_BPR, **_LPAE, **_anchors, "train.optimizer.lr": 0.03}
    VALUES[f"{_name}-cold-start"] = {**VALUES[_name], **_COLD}
    VALUES[f"{_name}-cold-start-519"] = {**VALUES[f"{_name}-519"], **_COLD, "evaluate.cold_start.dataset.users": 32}
VALUES["closet-lpae-u"]["objectives.ranking.loss.temperature"] = 0.3
for _name in _ANCHORS:
    VALUES[f"closet-{_name}-cold-start"] = {
        **VALUES[f"closet-{_name}"],
        **_COLD,
        "evaluate.cold_start.dataset.users": 12,
    }
