"""Italian."""

from showrunner.writing.languages import Language, words

LANGUAGE = Language(
    code="it",
    stopwords=words(
        """a abbia abbiamo ad ai agli al alla alle allo alcuna alcune alcuni allora altra altre altri altro anche ancora
        anni anno appena avere aveva avevano basta bene che chi ci ciascuno cioè cinque ciò circa col come comunque
        con contro cosa così cui da dai dagli dal dalla dalle dallo davanti degli dei del della delle dello dentro
        deve devono di dietro dopo dove dovrebbe due dunque durante e è ed egli ella entrambi era erano esse essendo
        essere essi fa fanno fare fatto fin finché fino fra fu furono già gli grande grandi ha hai hanno ho i il in
        infatti inoltre intanto intorno invece io la le lei li lo loro lui lungo ma mai maggior me meglio meno mentre
        mi mio molta molte molti molto ne negli nei nel nella nelle nello nessun nessuna niente noi non nostra nostre
        nostri nostro nulla o od oggi ogni oltre oppure ora parte per perché perciò però piccola più poca pochi poco
        poi possono presso prima proprio può pure qualche quale quali qualcosa quando quanta quanti quanto quasi
        quattro quella quelle quelli quello questa queste questi questo qui quindi sarà se sé sei sempre senza si sia
        siamo siano solo sono sopra soprattutto sotto stata state stati stato stessa stesse stessi stesso su sua sue
        sui sul sulla sulle suo suoi tale tanta tanti tanto te ti tra tre troppo tu tutta tutte tutti tuttavia tutto
        un una uno verso vi via viene vengono volta volte voi vostro"""
    ),
    dependent=words(
        """questo questa questi queste quello quella quelli quelle egli ella esso essa essi lui lei loro suo
        sua suoi sue
        ma però quindi dunque così allora poi dopo anche inoltre e o infatti tuttavia perciò lì qui là altri altre
        altro entrambi tali tale infine secondo terzo mentre invece ciò ne gli lo perché nondimeno ciascuno"""
    ),
    pointing=words("stesso stessa stessi stesse anche questo questa questi queste dopo invece ultimo quindi però ciò"),
    first_person=words("io mio mia miei mie mi noi me"),
    conjunction="e",
    quotes=("«", "»"),
    articles=words("il lo la i gli le"),
    prepositions=words("a in di da per con su verso presso vicino nel nella dal dalla del della al alla"),
    plural_endings=("i", "e", "o", "a"),
    avoid=r"(?:mai|non|evita|evitate|evitare)\b(?: (?:menzionare|menziona|menzionate|parlare|parla|parlate|"
    r"di|del|della|"
    r"dei|delle|il|la|i|le))* (.+)",
    audience=r"(?:chiama|chiamate|chiamare)(?: (?:gli|i|nostri|il))* (?:ascoltatori|pubblico) (.+)",
    opening=r"(?:inizia|iniziate|comincia|cominciate|apri|aprite)(?: (?:la puntata|ogni puntata|sempre))* con (.+)",
    ending=r"(?:finisci|finite|termina|terminate|chiudi|chiudete)(?: (?:la puntata|ogni puntata|sempre))* con (.+)",
    phrases={
        "greeting": (
            "Ciao e benvenuti a {show}. Sono {me}.",
            "Benvenuti a {show}. Mi chiamo {me}, è bello avervi qui.",
            "Questo è {show}, e io sono {me}. Grazie di essere con noi.",
        ),
        "greeting_audience": (
            "Ciao, {audience}, e benvenuti a {show}. Sono {me}.",
            "Benvenuti a {show}, {audience}. Mi chiamo {me}.",
        ),
        "second_host": (
            "E io sono {me}. Il nostro tema di oggi: {title}.",
            "Sono {me}, ciao. La puntata di oggi si intitola: {title}.",
            "Ciao anche da parte mia, sono {me}. Questa volta parliamo di questo: {title}.",
        ),
        "subject": ("Il nostro tema di oggi: {title}.", "La puntata di oggi si intitola: {title}.", "Oggi: {title}."),
        "overview": (
            "Arriveremo a {titles}.",
            "Ecco che cosa abbiamo per voi: {titles}.",
            "Le nostre tappe di oggi sono {titles}.",
        ),
        "credit": (
            "Quello che state per ascoltare viene da {sources}.",
            "Ci basiamo su {sources}.",
            "Tutto ciò che raccontiamo oggi è tratto da {sources}.",
        ),
        "section": (
            "Passiamo al prossimo tema: {title}. {other}, da dove cominciamo?",
            "Questo ci porta qui: {title}. Che cosa bisogna sapere, {other}?",
            "Il prossimo punto della nostra lista: {title}. {other}, cominci tu?",
            "È il momento del prossimo capitolo: {title}. Che cosa c'è da raccontare, {other}?",
            "Andiamo avanti. Il titolo dice: {title}. {other}, prima tu.",
            "Apriamo la prossima pagina: {title}. Come comincia, {other}?",
        ),
        "section_first": (
            "Cominciamo da qui: {title}. {other}, da dove partiamo?",
            "Il primo punto della nostra lista: {title}. {other}, che cosa dobbiamo sapere?",
            "Si parte da qui: {title}. Qual è l'inizio, {other}?",
        ),
        "section_question": (
            "Ecco la prossima domanda: {title} {other}, che cosa sappiamo?",
            "E questo solleva una domanda, {other}: {title}",
            "Allora, {other}, la domanda è questa: {title}",
        ),
        "section_alone": (
            "Arriviamo al prossimo tema: {title}.",
            "A seguire: {title}.",
            "Proseguiamo con questo: {title}.",
            "Il prossimo capitolo: {title}.",
            "Voltiamo pagina: {title}.",
        ),
        "section_question_alone": ("Ecco la prossima domanda: {title}", "E ora questa domanda: {title}"),
        "attribution": (
            "Secondo {source}: {fact}",
            "Leggiamo in {source}: {fact}",
            "In {source} troviamo questo: {fact}",
            "Questo viene da {source}: {fact}",
            "Da {source} prendiamo questo: {fact}",
        ),
        "attribution_only": (
            "La nostra fonte lo dice così: {fact}",
            "Secondo la nostra fonte: {fact}",
            "Ecco come lo racconta la nostra fonte: {fact}",
        ),
        "quotation": (
            "Con le parole di {source}: {fact}",
            "E cito {source}: {fact}",
            "Citiamo direttamente {source}: {fact}",
        ),
        "reaction": (
            "Buono a sapersi.",
            "Capisco.",
            "Questo aiuta.",
            "Restiamo su questo.",
            "Vale la pena ricordarlo.",
            "Va bene.",
            "Grazie, {other}.",
            "Ho altro su questo.",
            "Aggiungo qualcosa.",
            "Riprendo io.",
            "Annotato.",
            "Bene, ecco la mia parte.",
        ),
        "new_point": (
            "C'è dell'altro:",
            "Ancora un punto:",
            "Un altro dettaglio:",
            "E un'altra cosa:",
            "Ecco la parte seguente:",
            "Un punto in più:",
            "Anche questo conta:",
        ),
        "onward": ("Prosegue così:", "Continuiamo:", "E ancora avanti:", "Poi leggiamo:", "Il passo successivo:"),
        "question_new": (
            "Che cos'altro sappiamo, {other}?",
            "E oltre a questo, {other}?",
            "{other}, che cosa c'è ancora?",
            "Che cosa dovremmo aggiungere?",
            "E il prossimo pezzo, {other}?",
            "Che cos'altro c'entra, {other}?",
            "{other}, qual è il tuo prossimo punto?",
        ),
        "question_onward": (
            "Che cosa viene dopo, {other}?",
            "Come va avanti?",
            "Continui tu da qui, {other}?",
            "{other}, tocca a te.",
            "Qual è il passo successivo?",
            "Vai avanti tu, {other}?",
        ),
        "term_question": (
            "E {term}, {other}?",
            "{other}, due parole su questo nome: {term}?",
            "Che cosa dice la nostra fonte di questo: {term}?",
        ),
        "recap": (
            "Il nostro tempo sta per finire. Abbiamo parlato di {titles}.",
            "Guardiamo un momento indietro. Siamo passati per {titles}.",
            "Riassumendo, queste sono state le nostre tappe di oggi: {titles}.",
        ),
        "last_thought": (
            "Un ultimo pensiero da portare con sé: {fact}",
            "Ed ecco con che cosa chiudiamo: {fact}",
            "Vi lasciamo con questo: {fact}",
        ),
        "sign_off": (
            "Questo era {show}. Grazie dell'ascolto.",
            "Grazie di aver passato questo tempo con {show}.",
            "Per oggi da {show} è tutto. È stato bello avervi con noi.",
        ),
        "goodbye": (
            "Grazie anche da parte mia. Alla prossima.",
            "Arrivederci anche da parte mia, e state bene.",
            "Alla prossima puntata. Arrivederci.",
        ),
        "many": ("fra l'altro {titles}",),
        "summary": ("In questa puntata: {titles}. Da {sources}.",),
        "note": ("Nota di pianificazione: {note}",),
        "memory": ("Desiderio permanente della trasmissione: {note}",),
        "introduction": ("Benvenuti",),
        "closing": ("In conclusione",),
        "another_angle": ("{title}: {term}", "{title}: ancora su {term}"),
        "answer_none": ("Questa puntata non lo dice. Né lei né le sue fonti ne parlano.",),
        "source": ("la nostra fonte",),
    },
)
