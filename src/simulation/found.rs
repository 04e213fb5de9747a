//! Seeds that found something: each history stays a case, in the tests and in what coverage counts.

/// Seeds that broke a law once, each with the kind of fault that it found.
pub const FOUND: &[(u64, &str)] = &[
    (
        163,
        "a near-equal name in the window of a lost creation was recorded as ours",
    ),
    (1680, "the same after a restart"),
    (
        234,
        "a workspace was deleted whose object had said Retain, unseen by a watch that was dead",
    ),
    (1048, "the same while the API was down"),
    (
        127,
        "a creating issue that was carried out and then refused was forgotten, and its workspace taken for another's",
    ),
    (460, "the same, and the object was deleted: an orphan"),
    (506, "the same for an object created again"),
    (14, "an object that was let go stayed Ready while others held it"),
    (36, "the same"),
    (
        480,
        "Ready=True beside a declared Secret that was never written, while the API hung",
    ),
    (
        220,
        "a workspace that a GET did not find stayed Ready because lists were doubted",
    ),
    (524, "a wait called as declared what was last seen missing"),
    (
        1005,
        "an object that was let go stayed Ready until its next reconcile",
    ),
    (1494, "a replacement took four statuses"),
    (
        989,
        "a sync that had gone well went on paying for a token that failed, and was not tried for hours",
    ),
    (1774, "a rename was put off by the token that waited for it"),
    (1405, "a rival was hidden behind an issue in doubt"),
    (
        3098,
        "a late event of a Secret undid our own write, and another token was issued",
    ),
    (
        508,
        "an intent stamped by the local clock, which was set then: its workspace was another's",
    ),
    (
        3252,
        "a lost wish and the workspace of its name were read in turns without end",
    ),
    (
        3075,
        "after a clock was set back, a list that showed a difference counted for nothing",
    ),
    (2842, "nor did it confirm a loss"),
    (
        4329,
        "the token of a folded name opened a near-equal workspace of others, and was handed out",
    ),
    (
        6163,
        "a switch without an answer, whose status could not be stored, was forgotten",
    ),
    (
        15373,
        "a list waited for the store for an hour, since the clock was set back",
    ),
    (
        21514,
        "two objects that want each other's name said so in changing words",
    ),
    (
        50922,
        "an object claimed a name only since it had read it, and another one lost and won it in turns",
    ),
    (
        51531,
        "a ceiling that its administrator had lifted retained a workspace: the watch lagged",
    ),
    (
        61720,
        "an intent was dropped for an adoption by name, and two bore the name: ours was forgotten",
    ),
    (
        107343,
        "a lost issue's window moved with a clock that was set, and a workspace of others was deleted",
    ),
    (
        63988,
        "a token rested for an hour after its name was its own again",
    ),
    (
        115391,
        "what the server had failed rested for hours, since others were answered a moment before",
    ),
    (131678, "the same"),
    (
        232703,
        "the token of a workspace that replaced a lost one rested for what had failed before it",
    ),
    (
        301113,
        "a clock set back while an issue was answered: the window was too short for its own workspace",
    ),
    (
        503861,
        "a list that the server had failed rested for hours, and no loss was confirmed",
    ),
    (
        513851,
        "a creation in flight was left alone for an hour and a half after calls that were allowed",
    ),
    (
        517692,
        "the rate that a 429 had cut never grew for those that may use a part of it",
    ),
    (
        528175,
        "a name declared while a creation came to nothing cost a fourth status",
    ),
    (
        550000,
        "a reconcile was cut off that had read of a loss, and Ready=True stood until the next list",
    ),
    (
        552375,
        "an answer to other keys than those of the client at hand made a mismatch that stood",
    ),
    (
        557585,
        "after an edit beside the write of a token, no status named its Secret",
    ),
    (
        600030,
        "a Lease that was deleted was free at once for a process that never saw it",
    ),
    (
        640533,
        "a clock set ahead ended the wait for a lost issue, and it made a twin",
    ),
    (
        601497,
        "marks of a token by a clock minutes ahead were a schedule that the next leader kept minutes late",
    ),
    (604647, "the same"),
    (702981, "the same"),
    (
        1010136,
        "marks of a token were of a clock that was set before they were written",
    ),
    (
        700323,
        "an intent stamped by a clock hours off, after a slow answer: its workspace was another's",
    ),
    (
        310271,
        "beside two namesakes each attempt was followed by searches that no back-off charged",
    ),
    (
        404418,
        "beside two namesakes each attempt was followed by searches that no back-off charged",
    ),
    (
        563668,
        "what a renewal made in the place of a missing workspace stayed when its object went",
    ),
    (
        594531,
        "a creation stamped by a clock that was set back since was waited for until the clock was there again",
    ),
    (
        415719,
        "a status that could not be stored stood for minutes beside a token that was gone",
    ),
    (
        4292,
        "a clock set within an Organization's reconcile moved the server's time twice: a token that ended stayed Ready",
    ),
    (1024818, "the same, read by the next leader"),
    (
        1022756,
        "the same, and a token was issued again while most of it was left",
    ),
    (
        157422,
        "an Organization that was away for an hour was not asked for its last twenty minutes",
    ),
    (186340, "the same after some exchanges that went well"),
    (
        267558,
        "a token that failed once more when the server seemed well rested, though calls were left",
    ),
    (
        80516,
        "a rate of one a second that 429s had cut took most of an hour to grow again",
    ),
    (95250, "the same"),
    (
        191975,
        "the Secret that status named was gone, and a token in the one before it counted",
    ),
    (
        218083,
        "tokens that waited for a refused credential were due at once when it was let in",
    ),
    (224878, "the same"),
    (237145, "the same"),
    (
        30540,
        "without a Date, what others made within the window of our own clock was taken for ours",
    ),
    (
        99884,
        "without a Date, what others made within the window of our own clock was deleted as an orphan",
    ),
    (
        351173,
        "an orphan beside the recorded workspace stayed, for its issue was stamped before its reconcile knew the server's time",
    ),
    (263767, "the same, after the recorded workspace was restored"),
    (
        186316,
        "what others made in the window was listed first, deleted as ours, and ours stayed",
    ),
    (
        72120,
        "what others made within the window of a lost issue was deleted as its orphan, and ours stayed",
    ),
    (
        199274,
        "an object that declared an adoption waited an hour for a verdict that no clock could give",
    ),
    (
        187713,
        "without a Date, one in the place of what our token had opened was recorded",
    ),
    (
        28702,
        "a clock set while a list was read: the server's time was told by the clock of before",
    ),
    (8771, "the same"),
    (110692, "the same"),
    (140586, "the same"),
    (1057095, "the same, with several processes"),
    (
        60100,
        "a list of before a clock was set back was younger than each read, and all were read without end",
    ),
    (
        200007,
        "a pause that Agent Engine asked for was forgotten by the process after a restart",
    ),
    (600003, "the same by the next leader"),
    (
        765810,
        "a status of the leader before landed late, and counted for more than what had been read since",
    ),
    (
        645237,
        "a process that was frozen while it released the Lease was started once more beside itself (the model's own fault)",
    ),
    (
        710445,
        "a workspace that others made within the window and named twice since (the law asked too much)",
    ),
    (
        866050,
        "a clock set ahead while an issue was answered without a Date: its window was an hour wide, and others' workspace was deleted",
    ),
    (
        878136,
        "an object that something new stood in the way of had its first hour of failures (the law asked too much)",
    ),
    (
        4012854,
        "a wish for a lost workspace was never dropped where the organization had lost its fallback workspace",
    ),
    (
        4073763,
        "others' near-equal workspace was handed out: a GET read it under its next name (told by the verification)",
    ),
    (
        4009173,
        "an answer that a frozen process took after its deadline had the Date of that moment (the model's own fault)",
    ),
    (
        4006861,
        "what is taken over from another operator is stored once more (the law asked too much)",
    ),
    (
        4224588,
        "a workspace that might be ours, and was declared for adoption, was forgotten while its object was suspended",
    ),
    (
        4240251,
        "what replaced a lost workspace rested for the failures of that one, and was said to be in creation for an hour",
    ),
    (
        4309010,
        "a Secret that others kept our label off was deleted, and nobody saw it until its renewal",
    ),
    (
        4223553,
        "a Secret lived for a second between two looks (the law asked too much)",
    ),
    (
        4246467,
        "a loss was told late, and confirmed by the next list (the law asked too much)",
    ),
    (
        4227336,
        "an adopter of what another made retained it (the law asked too much)",
    ),
    (
        4589668,
        "a search of before a clock was set back counted as one of after its issue, and a twin was made",
    ),
    (
        4643377,
        "a renewal that was refused counted as an attempt to rename: what the server had failed was not tried for hours",
    ),
    (
        4728774,
        "a clock set ahead used up the hour of an Organization that had failed twice, and its tokens ended",
    ),
    (
        4476951,
        "a token rested for a name that its workspace did not bear any more",
    ),
    (
        4483276,
        "no loss is confirmed by an organization that shows nothing (the law asked too much)",
    ),
    (
        4818219,
        "a store that was two seconds late did not know of a deletion (the law asked too much)",
    ),
    (
        4334064,
        "what came back was said to be lost while it rested for a name that the API had refused",
    ),
    (
        4618200,
        "a workspace that might be ours was being adopted as declared, and forgotten when its object was deleted meanwhile",
    ),
    (
        4964943,
        "a rename of ours that no status told was contradicted by a list that lagged: the token was issued under the old name",
    ),
    (
        4925202,
        "another object adopted what was in doubt, as declared (the law asked too much)",
    ),
    (
        4927368,
        "the same, while the process of another release held it (the law asked too much)",
    ),
    (
        4937556,
        "the same, under a name that the server folds (the law asked too much)",
    ),
    (
        4845639,
        "a lost workspace was replaced under another name while it rested, before what its renewal had made was found",
    ),
    (
        4834478,
        "an Organization was replaced whose list alone had shown a loss (the law asked too much)",
    ),
    (
        4838448,
        "a rename that the API keeps otherwise was tried and told late (the law asked too much)",
    ),
];
