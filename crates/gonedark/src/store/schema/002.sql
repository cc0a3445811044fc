-- Version 2: what is concluded of traffic. Flows themselves are not kept.

-- Attacks by source and id; `body` is one of docs/traffic-schema.md. `start` and `stop` are each from the earliest to the
-- latest that they may be; `stop` is NULL while it goes on. `told` is up to when it was known to be as it is told.
CREATE TABLE attack (
    source TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
    start INTEGER NOT NULL, start_latest INTEGER NOT NULL, detected INTEGER NOT NULL,
    stop INTEGER, stop_latest INTEGER, told INTEGER NOT NULL, part_of TEXT, body TEXT NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attack_start ON attack (start);
-- Few at any time, and asked for all the time.
CREATE INDEX attack_ongoing ON attack (source) WHERE stop IS NULL;

-- Whose the targets are: country, AS, watched prefixes.
CREATE TABLE attacked (
    entity INTEGER NOT NULL, source TEXT NOT NULL, attack TEXT NOT NULL,
    PRIMARY KEY (entity, source, attack)
) STRICT, WITHOUT ROWID;

-- Which exporter could not be heard, or not wholly; `exporter` is empty where the kernel dropped what somebody sent.
CREATE TABLE deaf (
    source TEXT NOT NULL, exporter TEXT NOT NULL, since INTEGER NOT NULL, reason TEXT NOT NULL,
    until INTEGER NOT NULL, lost INTEGER NOT NULL,
    PRIMARY KEY (source, exporter, since, reason)
) STRICT, WITHOUT ROWID;

-- All state of the meter of a source: one zstd frame with a checksum, in parts.
CREATE TABLE meter (source TEXT NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (source, part)) STRICT;

-- The times of an incident as numbers, as traffic::evidence of gonedark-infer takes them. (A Julian day as a REAL tells
-- times of our days apart by a twentieth of a millisecond.)
CREATE VIEW incident_span AS
    SELECT id, entity,
           CAST(round((min(julianday(earliest), coalesce(julianday(first), julianday(earliest))) - 2440587.5) * 86400000) AS INTEGER)
               * 1000 AS onset,
           CAST(round((max(julianday(latest), julianday(vote)) - 2440587.5) * 86400000) AS INTEGER) * 1000 AS onset_latest,
           CAST(round((max(julianday(back), julianday(back_vote)) - 2440587.5) * 86400000) AS INTEGER) * 1000 AS until
    FROM (
        SELECT id, entity, body ->> '$.phases[0].from' AS first,
               body ->> '$.onset.earliest' AS earliest, body ->> '$.onset.latest' AS latest, body ->> '$.onset.vote' AS vote,
               body ->> '$.recovery.latest' AS back, body ->> '$.recovery.vote' AS back_vote
        FROM incident
    );

-- Attacks that a reader of an incident should know of: on the same entity, overlapping it or ended at most five days before
-- its onset. That one caused the other is said nowhere.
CREATE VIEW attack_evidence AS
    SELECT i.id AS incident, a.source, a.id AS attack, a.target,
           CASE WHEN a.start > i.onset_latest THEN 'within'
                WHEN a.stop_latest IS NULL OR a.stop_latest >= i.onset THEN 'across'
                ELSE 'before' END AS lies,
           a.start, a.start_latest, a.stop, a.stop_latest,
           CASE WHEN a.stop_latest < i.onset THEN i.onset - a.stop_latest END AS before_least,
           CASE WHEN a.stop_latest < i.onset THEN i.onset_latest - a.stop END AS before_most
    FROM incident_span i
    JOIN attacked t ON t.entity = i.entity
    JOIN attack a ON a.source = t.source AND a.id = t.attack
    WHERE a.part_of IS NULL
      AND (i.until IS NULL OR a.start <= i.until)
      AND (a.stop_latest IS NULL OR i.onset - a.stop_latest <= 432000000000);

-- What was measured of an incident, by whom: the dated facts that bear on it, of routes and of flows.
DROP VIEW evidence;
CREATE VIEW evidence AS
    SELECT i.id AS incident, i.body ->> '$.onset.earliest' AS earliest, i.body ->> '$.onset.latest' AS latest,
           'routes of ' || f.key AS signal, f.value ->> '$.networks.lost' AS networks_lost,
           f.value ->> '$.networks.before' AS networks_before,
           i.body ->> '$.witnesses.agreeing' AS agreeing, i.body ->> '$.witnesses.asns' AS witnesses,
           NULL AS lies, NULL AS attack
    FROM incident i, json_each(i.body, '$.families') f WHERE f.type = 'object'
    UNION ALL
    SELECT e.incident, a.body ->> '$.start.earliest', a.body ->> '$.start.latest',
           'flows to ' || a.target, NULL, NULL, NULL, NULL, e.lies, a.id
    FROM attack_evidence e JOIN attack a ON a.source = e.source AND a.id = e.attack;
