"""Architectures as ``nn.Module``: official state-dict layout, tensors in, tensors out, no files.

Each class offers ``embed_audio``, ``embed_faces`` and ``head``; one that has a single stream only offers what it needs
of these. Importing this package does not import torch.
"""

from __future__ import annotations

from asdbench.registry import Registry

ARCHITECTURES = Registry(
    "architecture",
    {
        "light-asd": "asdbench.networks.light_asd:LightASD",
        "lr-asd": "asdbench.networks.lr_asd:LRASD",
        "loconet": "asdbench.networks.loconet:LoCoNet",
        "talknce": "asdbench.networks.loconet:LoCoNet",
        "laser-loconet": "asdbench.networks.laser_loconet:LaserLoCoNet",
        "talknet": "asdbench.networks.talknet:TalkNet",
        "sync-talknet": "asdbench.networks.sync_talknet:SyncTalkNet",
        "talknet-vad": "asdbench.networks.talknet_streams:TalkNetVAD",
        "talknet-lip": "asdbench.networks.talknet_streams:TalkNetLip",
        "talknet-vad-lip": "asdbench.networks.talknet_streams:TalkNetVadLip",
        "pair-net": "asdbench.networks.pair_net:PairNet",
    },
)
"""Name to class; every class is built without arguments."""

__all__ = ["ARCHITECTURES"]
