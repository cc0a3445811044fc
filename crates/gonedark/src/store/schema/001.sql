-- Version 1. Times are microseconds since 1970 in UTC. What can be derived is a view.

-- What the conclusions rest on: thresholds, country table. They are fixed as long as the snapshots are used.
CREATE TABLE basis (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Where each source goes on.
CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL, collector TEXT NOT NULL, part TEXT NOT NULL,
    position TEXT, mark INTEGER, closed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, collector, part)
) STRICT;

-- Parcels since the older of the two snapshots, each a zstd frame with a checksum of its own.
CREATE TABLE journal (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

-- All state after the parcel `seq`: one zstd frame with a checksum, in parts.
CREATE TABLE snapshot (seq INTEGER NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (seq, part)) STRICT;

CREATE TABLE entity (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, code TEXT NOT NULL, UNIQUE (kind, code)) STRICT;

-- Signals as transitions: a value holds until the next. NULL is "could not be seen".
-- `signal`: 0 networks up, 1 networks lost, 2 addresses lost, 3 voters sighted; plus 16 for IPv6.
CREATE TABLE point (
    entity INTEGER NOT NULL, signal INTEGER NOT NULL, at INTEGER NOT NULL, value INTEGER,
    PRIMARY KEY (entity, signal, at)
) STRICT, WITHOUT ROWID;

-- Incidents by entity and begin of the first phase; `body` is one of docs/report-schema.md.
CREATE TABLE incident (
    entity INTEGER NOT NULL, first INTEGER NOT NULL, id TEXT NOT NULL,
    ended INTEGER NOT NULL, level TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (entity, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_first ON incident (first);
-- Few at any time, and asked for all the time.
CREATE INDEX incident_ongoing ON incident (level) WHERE NOT ended;

-- Who could not see, since when; `until` is NULL while it lasts. `peer_asn` 0 is the whole collector.
CREATE TABLE blind (
    collector TEXT NOT NULL, peer_asn INTEGER NOT NULL, since INTEGER NOT NULL, reason TEXT NOT NULL, until INTEGER,
    PRIMARY KEY (collector, peer_asn, since, reason)
) STRICT, WITHOUT ROWID;

CREATE VIEW phase AS
    SELECT e.kind, e.code, i.id AS incident, p.key AS number,
           p.value ->> 'state' AS state, p.value ->> 'from' AS since, p.value ->> 'until' AS until,
           p.value ->> 'flaps' AS flaps
    FROM incident i JOIN entity e ON e.id = i.entity, json_each(i.body, '$.phases') p;

-- Each change of state of an entity is an alert.
CREATE VIEW alert AS SELECT since AS at, kind, code, incident, state FROM phase;

-- What was measured of an incident, by whom: the dated facts that bear on it.
CREATE VIEW evidence AS
    SELECT i.id AS incident, i.body ->> '$.onset.earliest' AS earliest, i.body ->> '$.onset.latest' AS latest,
           'routes of ' || f.key AS signal, f.value ->> '$.networks.lost' AS networks_lost,
           f.value ->> '$.networks.before' AS networks_before,
           i.body ->> '$.witnesses.agreeing' AS agreeing, i.body ->> '$.witnesses.asns' AS witnesses
    FROM incident i, json_each(i.body, '$.families') f WHERE f.type = 'object';
