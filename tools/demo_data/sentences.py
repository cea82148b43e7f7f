"""What is said. Validation and training never share a sentence."""

from __future__ import annotations

from itertools import product
from typing import Literal

Split = Literal["val", "train"]

_WHO = (
    "My mother", "The bus driver", "Our neighbour", "A friend of mine", "The old baker", "Everybody here", "My boss",
    "Peter", "The young woman", "Nobody in the family", "Her brother", "The whole team",
)  # fmt: skip
_DID = (
    "bought five purple apples", "wanted to move the big table", "forgot the blue book",
    "was waiting for the morning train",
    "really believed that story", "put some pepper in the soup", "found a box full of maps", "could see the boats",
    "has been working for a famous company", "told me about a wonderful movie", "opened both of the windows",
    "spoke about the weather again",
)  # fmt: skip
_WHEN = (
    "before breakfast", "at the market", "because it was far too warm", "in the middle of the summer",
    "without any problem",
    "when we were playing football", "on the way to work", "from up here", "five minutes ago", "although nobody asked",
    "with a lot of butter", "after the meeting",
)  # fmt: skip
_OTHER = {
    "de": (
        "Der Zug war heute Morgen wieder zu spät.", "Meine Mutter möchte fünf Brote und Butter kaufen.",
        "Bitte bring mir das blaue Buch vom Tisch.", "Wir haben am Wochenende Fußball gespielt.",
        "Kannst du mir bitte das Fenster öffnen?", "Am Abend probieren wir ein neues Rezept aus.",
        "Der Bäcker macht im Sommer immer Pause.", "Ich habe den Film leider noch nicht gesehen.",
        "Papa baut mit uns ein großes Baumhaus.", "Morgen fahren wir mit dem Boot über den See.",
    ),
    "fr": (
        "Le train du matin était encore en retard.", "Ma mère voudrait acheter du pain et des pommes.",
        "Pourquoi ne viens-tu pas boire un café?", "Nous avons joué au ballon dans le parc.",
        "Il faut mettre un peu plus de beurre.", "Mon voisin parle beaucoup de la pluie.",
        "On peut voir les bateaux depuis la fenêtre.", "Le film était vraiment formidable.",
        "Papa prépare une bonne soupe ce soir.", "Elle a oublié son livre dans le bus.",
    ),
    "es": (
        "El tren de la mañana llegó tarde otra vez.", "Mi mamá compró pan, mantequilla y manzanas.",
        "Por favor, abre la ventana, hace mucho calor.", "El problema fue más fácil de lo que pensaba.",
        "Mi amigo vive en una casa muy bonita.", "Vamos a ver una película mañana por la tarde.",
        "Los barcos salen temprano del puerto.", "Papá prepara una sopa buenísima.",
        "Nunca bebo café después de comer.", "Me gusta jugar al fútbol con mi familia.",
    ),
    "it": (
        "Il treno di questa mattina era in ritardo.", "Mia mamma vuole comprare pane, burro e mele.",
        "Per favore, apri la porta al bambino.", "Domani proviamo una nuova ricetta.",
        "Il mio amico abita vicino al mare.", "Abbiamo visto un film molto bello.",
        "Non bevo mai il caffè dopo cena.", "Le barche partono prima di mezzogiorno.",
        "Papà prepara una buona minestra.", "Il libro blu è sopra la tavola.",
    ),
    "nl": (
        "De trein was vanmorgen weer te laat.", "Mijn moeder wil brood, boter en appels kopen.",
        "Breng me alsjeblieft het blauwe boek.", "We hebben in het park gevoetbald.",
        "Mijn buurman praat altijd over het weer.", "Vanavond maken we samen een grote pan soep.",
        "Vanaf hier kun je de boten bijna zien.", "De film was eigenlijk best mooi.",
        "Mag ik het raam even open zetten?", "Papa bouwt een boomhut voor ons.",
    ),
    "pl": (
        "Pociąg znowu spóźnił się dziś rano.", "Moja mama kupiła chleb, masło i jabłka.",
        "Proszę, otwórz okno, bo jest gorąco.", "Bawimy się piłką przed domem.",
        "Mój sąsiad ciągle mówi o pogodzie.", "Wieczorem ugotujemy dobrą zupę.",
        "Stąd prawie widać łodzie i port.", "Film był naprawdę bardzo zabawny.",
        "Zapomniałem niebieskiej książki.", "Tata buduje z nami duży domek.",
    ),
}  # fmt: skip

LANGUAGES = ("en-us", *_OTHER)


def sentences(language: str, split: Split) -> tuple[str, ...]:
    """Return the sentences of one language that a split may use, in a fixed order."""
    if language in _OTHER:
        return _OTHER[language][0 if split == "val" else 1 :: 2]
    triples = product(enumerate(_WHO), enumerate(_DID), enumerate(_WHEN))
    wanted = 0 if split == "val" else 1
    return tuple(f"{who} {did} {when}." for (i, who), (j, did), (k, when) in triples if (i + j + k) % 2 == wanted)
