BEGIN TRANSACTION;
CREATE TABLE libraries (path BLOB PRIMARY KEY, served_at REAL, scanned_at REAL);
INSERT INTO "libraries" VALUES(X'2F6D75736963',1700000000.0,NULL);
CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at REAL);
INSERT INTO "migrations" VALUES('tracks_0001',1.79551429480178594585e+09);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "settings" VALUES('paused','1');
CREATE TABLE tracks (
            id INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE,
            folder BLOB NOT NULL,
            library BLOB NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            seen_size INTEGER,
            seen_mtime_ns INTEGER,
            missing_since REAL,
            artist TEXT,
            title TEXT,
            duration REAL,
            state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN (
                'pending', 'working', 'done', 'lines', 'review', 'no_lyrics', 'instrumental',
                'failed', 'ignored')),
            priority INTEGER NOT NULL,
            why TEXT NOT NULL,
            enqueued_at REAL NOT NULL,
            next_attempt_at REAL,
            attempts INTEGER NOT NULL DEFAULT 0,
            crashes INTEGER NOT NULL DEFAULT 0,
            retries INTEGER NOT NULL DEFAULT 0,
            lease_owner TEXT,
            leased_until REAL,
            started_at REAL,
            stage TEXT,
            progress REAL,
            finished_at REAL,
            quality REAL,
            decision TEXT,
            reason TEXT,
            source TEXT,
            language TEXT,
            separator TEXT,
            aligner TEXT,
            lines INTEGER,
            words INTEGER,
            stages TEXT NOT NULL DEFAULT '{}',
            written TEXT NOT NULL DEFAULT '[]',
            notes TEXT NOT NULL DEFAULT '[]',
            error_class TEXT,
            error TEXT
        );
INSERT INTO "tracks" VALUES(1,X'2F6D757369632F646F6E652E6D7033',X'2F6D75736963',X'2F6D75736963',10,20,30,NULL,NULL,NULL,NULL,NULL,NULL,'done',0,'new file',1700000000.0,NULL,0,0,0,NULL,NULL,1700000000.0,NULL,NULL,1700000000.0,0.93,NULL,'all is well',NULL,NULL,NULL,NULL,NULL,NULL,'{"align": 1.5}','["/music/done.lrc"]','[]',NULL,NULL);
INSERT INTO "tracks" VALUES(2,X'2F6D757369632F77616974732E6D7033',X'2F6D75736963',X'2F6D75736963',11,21,31,NULL,NULL,NULL,NULL,NULL,NULL,'pending',0,'first scan',1700000000.0,1700000000.0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'{}','[]','[]',NULL,NULL);
CREATE INDEX tracks_folder ON tracks (folder);
CREATE INDEX tracks_library ON tracks (library);
CREATE INDEX tracks_state ON tracks (state, next_attempt_at);
CREATE INDEX tracks_inode ON tracks (inode);
COMMIT;
