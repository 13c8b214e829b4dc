-- SPDX-License-Identifier: BSD-2-Clause
--
-- The history of the store, as xenhistoryd(8) writes it from the commit log and
-- xenstore-history(1) reads it. Times are milliseconds since 1970. Ids grow in
-- the order of what happened, so that "at a moment" is "up to an act".

-- A commit log that was followed: a sequence number means something in one.
CREATE TABLE log (
	id    INTEGER PRIMARY KEY,
	epoch INTEGER NOT NULL,
	since INTEGER NOT NULL
);

-- Who did something: a process at the socket (kind 'socket'), a domain at its
-- ring ('ring'), the hypervisor ('hypervisor': a domain's end), or nobody we
-- know ('unknown': it happened while nobody looked).
CREATE TABLE who (
	id        INTEGER PRIMARY KEY,
	kind      TEXT NOT NULL,
	domid     INTEGER NOT NULL,
	unique_id INTEGER NOT NULL,
	uid       INTEGER,
	pid       INTEGER,
	command   TEXT    -- of the process, when its connection was seen
);

CREATE TABLE path (
	id   INTEGER PRIMARY KEY,
	path TEXT NOT NULL UNIQUE
);

-- A request that changed the store or was refused, a domain's end, or a gap.
CREATE TABLE act (
	id     INTEGER PRIMARY KEY,
	log    INTEGER NOT NULL REFERENCES log,
	seq    INTEGER NOT NULL,       -- of its record in the log
	time   INTEGER NOT NULL,
	who    INTEGER NOT NULL REFERENCES who,
	op     TEXT NOT NULL,          -- schema/ops.tbl; DEATH, SNAPSHOT, GAP
	txn    INTEGER NOT NULL,       -- 0: none
	path   INTEGER REFERENCES path,
	error  TEXT,                   -- NULL: it was done
	-- EAGAIN: the request in the transaction that would be answered
	-- otherwise now, and the act that last changed what it is about
	why_op     TEXT,
	why_path   INTEGER REFERENCES path,
	why_act    INTEGER REFERENCES act,
	-- a limit was met: DOMID would have had VALUE
	quota       TEXT,
	quota_domid INTEGER,
	quota_value INTEGER,
	quota_limit INTEGER,
	note   TEXT                    -- EACCES: whose node, which rights; GAP: why
);
CREATE INDEX act_seq ON act (log, seq);
CREATE INDEX act_time ON act (time);
CREATE INDEX act_path ON act (path) WHERE error IS NOT NULL;
CREATE INDEX act_why ON act (why_path) WHERE why_path IS NOT NULL;

-- What an act did to one node.
CREATE TABLE change (
	id    INTEGER PRIMARY KEY,
	act   INTEGER NOT NULL REFERENCES act,
	path  INTEGER NOT NULL REFERENCES path,
	what  TEXT NOT NULL,           -- made written permitted removed
	born  INTEGER NOT NULL,        -- id of the change that made the node
	old_digest INTEGER,            -- NULL: there was no node
	new_digest INTEGER,            -- NULL: there is none any more
	size  INTEGER NOT NULL,        -- of the value, in bytes
	value BLOB,                    -- NULL: none, or longer than is kept
	perms TEXT                     -- "n0,r3"; NULL: there is no node
);
CREATE INDEX change_path ON change (path, act);
CREATE INDEX change_act ON change (act);

-- name: 'horizon' (the first act that is kept), 'log', 'offset', 'seq' (where
-- the follower goes on)
CREATE TABLE mark (
	name  TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) WITHOUT ROWID;
