"""French."""

from showrunner.writing.languages import Language, words

LANGUAGE = Language(
    code="fr",
    stopwords=words(
        """a afin ai ainsi alors après assez au aucun aucune aujourd'hui auquel aura aussi autant autour autre autres
        aux avaient avait avant avec avoir beaucoup bien bientôt car ce ceci cela celle celles celui cent cependant
        certains ces cet cette ceux chaque chez ci combien comme comment contre d'abord d'un d'une dans de deçà depuis
        dernier dernière derrière des dès deux devant devenir doit doivent donc dont du durant elle elles en encore
        enfin entre environ est et étaient était étant été être eu eux fait faire fois font grand grande grands hors
        ici il ils jamais je jusqu'à jusque l'un l'une la là laquelle le lequel les leur leurs loin longtemps lors
        lorsque lui ma mais mal malgré me même mêmes mes mieux moins mon ne ni nombreux non nos notre nous nouveau
        on ont ou où par parce parfois parmi partout pas pendant peu peut peuvent plupart plus plusieurs point pour
        pourquoi pourtant près presque puis puisque qu'elle qu'il qu'ils qu'on qu'un qu'une quand que quel quelle
        quelles quelque quelques quels qui quoi rien s'il sa sans se selon sera seront ses seul seule si sinon soit
        son sont sous souvent sur surtout ta tandis tant te tel telle tels tes toi ton toujours tous tout toute
        toutes très trois trop tu un une vers voici voilà vont vos votre vous y c'est n'est d'eau an ans année années"""
    ),
    dependent=words(
        """ce ceci cela cet cette ces celui celle celles ceux il ils elle elles lui leur leurs son sa ses mais or donc
        ainsi alors puis ensuite aussi et ou cependant pourtant toutefois néanmoins enfin de en y là ici c'est c'était
        d'autres autre tous toutes chacun chacune certains bref car parce voilà deuxièmement l'autre l'un
        c'est-à-dire"""
    ),
    pointing=words("même mêmes aussi celui-ci celle-ci dernier dernière ceux-ci également donc cependant pourtant"),
    first_person=words("je j'ai j'avais j'étais mon ma mes moi nous j'en"),
    conjunction="et",
    quotes=("«", "»"),
    articles=words("le la les"),
    prepositions=words("à en de dans par vers chez près pour avec sur au du"),
    plural_endings=("es", "s", "x", "e"),
    avoid=r"(?:jamais|évite|évitez|éviter|pas)\b(?: (?:de|du|des|d'|la|le|les|mentionner|parler|évoquer))* (.+)",
    audience=r"(?:appelle|appelez|appeler)(?: (?:les|nos|vos|tes))? (?:auditeurs|auditrices|public)\S*(?: des?)? (.+)",
    opening=r"(?:commence|commencez|ouvre|ouvrez|débute|débutez)(?: (?:l'émission|chaque épisode|toujours))*"
    r" (?:par|avec) (.+)",
    ending=r"(?:termine|terminez|finis|finissez|conclus|concluez)(?: (?:l'émission|chaque épisode|toujours))*"
    r" (?:par|avec) (.+)",
    phrases={
        "greeting": (
            "Bonjour et bienvenue dans {show}. Je suis {me}.",
            "Bienvenue dans {show}. Je m'appelle {me}, et je me réjouis de vous retrouver.",
            "Voici {show}, et je suis {me}. Merci d'être avec nous.",
        ),
        "greeting_audience": (
            "Bonjour, {audience}, et bienvenue dans {show}. Je suis {me}.",
            "Bienvenue dans {show}, {audience}. Je m'appelle {me}.",
        ),
        "second_host": (
            "Et moi, je suis {me}. Notre sujet du jour : {title}.",
            "Je suis {me}, bonjour. L'épisode d'aujourd'hui s'intitule : {title}.",
            "Bonjour de ma part aussi, je suis {me}. Cette fois, nous parlons de ceci : {title}.",
        ),
        "subject": (
            "Notre sujet du jour : {title}.",
            "L'épisode d'aujourd'hui s'intitule : {title}.",
            "Aujourd'hui : {title}.",
        ),
        "overview": (
            "Nous en viendrons à {titles}.",
            "Voici ce que nous avons pour vous : {titles}.",
            "Nos étapes du jour sont {titles}.",
        ),
        "credit": (
            "Ce que vous allez entendre vient de {sources}.",
            "Nous nous appuyons sur {sources}.",
            "Tout ce que nous racontons aujourd'hui est tiré de {sources}.",
        ),
        "section": (
            "Passons au sujet suivant : {title}. {other}, par où commencer ?",
            "Cela nous amène à ceci : {title}. Que faut-il savoir, {other} ?",
            "Le prochain point de notre liste : {title}. {other}, tu commences ?",
            "C'est l'heure du chapitre suivant : {title}. Qu'y a-t-il à raconter, {other} ?",
            "Nous avançons. Le titre est : {title}. {other}, à toi d'abord.",
            "Ouvrons la page suivante : {title}. Comment cela commence-t-il, {other} ?",
        ),
        "section_first": (
            "Commençons par ceci : {title}. {other}, par où commencer ?",
            "Le premier point de notre liste : {title}. {other}, que devons-nous savoir ?",
            "C'est ici que nous commençons : {title}. Quel est le début, {other} ?",
        ),
        "section_question": (
            "Voici la question suivante : {title} {other}, que savons-nous ?",
            "Et cela pose une question, {other} : {title}",
            "Alors, {other}, la question est celle-ci : {title}",
        ),
        "section_alone": (
            "Nous en venons au sujet suivant : {title}.",
            "Ensuite : {title}.",
            "Continuons avec ceci : {title}.",
            "Le chapitre suivant : {title}.",
            "Nous tournons la page : {title}.",
        ),
        "section_question_alone": ("Voici la question suivante : {title}", "Et maintenant, cette question : {title}"),
        "attribution": (
            "D'après {source} : {fact}",
            "Nous lisons dans {source} : {fact}",
            "Dans {source}, nous trouvons ceci : {fact}",
            "Ceci vient de {source} : {fact}",
            "De {source}, nous retenons ceci : {fact}",
        ),
        "attribution_only": (
            "Notre source le dit ainsi : {fact}",
            "D'après notre source : {fact}",
            "Voici comment notre source le raconte : {fact}",
        ),
        "quotation": (
            "Avec les mots de {source} : {fact}",
            "Et je cite {source} : {fact}",
            "Citons directement {source} : {fact}",
        ),
        "reaction": (
            "C'est bon à savoir.",
            "Je vois.",
            "Cela aide.",
            "Restons là-dessus.",
            "Gardons cela en tête.",
            "D'accord.",
            "Merci, {other}.",
            "J'ai une suite à cela.",
            "J'ajoute quelque chose.",
            "Je reprends.",
            "C'est noté.",
            "Bien, voici ma part.",
        ),
        "new_point": (
            "Il y a plus :",
            "Encore un point :",
            "Un autre détail :",
            "Et autre chose :",
            "Voici la partie suivante :",
            "Un point de plus :",
            "Cela aussi en fait partie :",
        ),
        "onward": (
            "Voici la suite :",
            "Poursuivons :",
            "Et cela continue :",
            "Puis nous lisons :",
            "L'étape suivante :",
        ),
        "question_new": (
            "Que savons-nous encore, {other} ?",
            "Et au-delà, {other} ?",
            "{other}, qu'y a-t-il d'autre ?",
            "Que faut-il ajouter ?",
            "Et le morceau suivant, {other} ?",
            "Quoi d'autre sur ce sujet, {other} ?",
            "{other}, quel est ton prochain point ?",
        ),
        "question_onward": (
            "Et que vient-il ensuite, {other} ?",
            "Comment cela continue-t-il ?",
            "Tu prends le relais, {other} ?",
            "{other}, à toi.",
            "Quelle est l'étape suivante ?",
            "Tu continues, {other} ?",
        ),
        "term_question": (
            "Et {term}, {other} ?",
            "{other}, un mot sur ce nom : {term} ?",
            "Que dit notre source de ceci : {term} ?",
        ),
        "recap": (
            "Notre temps touche à sa fin. Nous avons parlé de {titles}.",
            "Regardons un instant en arrière. Nous sommes passés par {titles}.",
            "En résumé, voici nos étapes d'aujourd'hui : {titles}.",
        ),
        "last_thought": (
            "Une dernière pensée à emporter : {fact}",
            "Et voici de quoi conclure : {fact}",
            "Nous vous laissons avec ceci : {fact}",
        ),
        "sign_off": (
            "C'était {show}. Merci de votre écoute.",
            "Merci d'avoir passé ce moment avec {show}.",
            "Voilà pour aujourd'hui dans {show}. C'était un plaisir de vous avoir avec nous.",
        ),
        "goodbye": (
            "Merci de ma part aussi. À la prochaine.",
            "Au revoir de ma part aussi, et prenez soin de vous.",
            "Au prochain épisode. Au revoir.",
        ),
        "many": ("entre autres {titles}",),
        "summary": ("Dans cet épisode : {titles}. D'après {sources}.",),
        "note": ("Note de préparation : {note}",),
        "memory": ("Souhait permanent de l'émission : {note}",),
        "introduction": ("Bienvenue",),
        "closing": ("Pour finir",),
        "another_angle": ("{title} : {term}", "{title} : en savoir plus sur {term}"),
        "answer_none": ("Cet épisode ne le dit pas. Ni lui ni ses sources n'en parlent.",),
        "source": ("notre source",),
    },
)
