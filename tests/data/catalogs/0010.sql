BEGIN TRANSACTION;
CREATE TABLE choices (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
INSERT INTO "choices" VALUES(3,X'78DA4D8EC10E82400C44FF65CECD064D34C27778DB10B32C85ACD6C52C4B0C21FCBB453CD8532733D3D705E2623FB99E51A16510644EC18FA8164888AC8BB52753D0D994142711B216D777880F61026DCEC95CA830654D167937A0E9BD519863AD43FF148E4A198729F94D49F2121AAC84C477F6995B25C2351EDA7A85F87D60831CB6334394F9D626D765549D93517F18BA6E64958522A1F99CA627C7ECE497583FE35A473D');
CREATE TABLE drafts (
            id INTEGER PRIMARY KEY,
            revision INTEGER NOT NULL,
            at REAL NOT NULL,
            by_hand INTEGER NOT NULL,
            body BLOB NOT NULL
        );
INSERT INTO "drafts" VALUES(3,2,1700000000.0,1,X'78DA6D8DC16AC3400C447FA5087A13CBD290E2E43B7A5B72D8AE155754688D649396907FAF5CD35B751ABDD168EE20DFC6CDE17C0761A510A51C53C6D774425D45B01478BBB17E0A21E0E61CD380399D2E5860D90D88EB3D91D3CB250641AA4E6B9D08CE400A08DE576BDB26D684DFE181D0BA3A8F64344667446656FDD3DEBAC5754EC30161A4C6CE5D237DEB367ABC33AAFE0B86C3D333FC534773B5BA740BE0B3102D6481ABF0A4B4C30FD6AF40FD7A755AB6AAFCF801769653BE');
CREATE TABLE folders (path BLOB PRIMARY KEY, skipped INTEGER NOT NULL);
INSERT INTO "folders" VALUES(X'2F6D757369632F506F646361737473',1);
CREATE TABLE libraries (path BLOB PRIMARY KEY, served_at REAL, scanned_at REAL);
INSERT INTO "libraries" VALUES(X'2F6D75736963',1700000000.0,1700000000.0);
CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at REAL);
INSERT INTO "migrations" VALUES('tracks_0001',1700000000.0);
INSERT INTO "migrations" VALUES('names_0002',1700000000.0);
INSERT INTO "migrations" VALUES('folders_0003',1700000000.0);
INSERT INTO "migrations" VALUES('waits_0004',1700000000.0);
INSERT INTO "migrations" VALUES('drafts_0005',1700000000.0);
INSERT INTO "migrations" VALUES('mixed_0006',1700000000.0);
INSERT INTO "migrations" VALUES('placed_by_0007',1700000000.0);
INSERT INTO "migrations" VALUES('overrides_0008',1700000000.0);
INSERT INTO "migrations" VALUES('status_0009',1700000000.0);
INSERT INTO "migrations" VALUES('artists_0010',1700000000.0);
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
                'pending', 'working', 'done', 'mixed', 'lines', 'review', 'no_lyrics', 'instrumental',
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
        , recording_id TEXT, name_key TEXT, waits_for TEXT, album TEXT, lines_with_words INTEGER, words_timed INTEGER, placed_by TEXT, overrides TEXT);
INSERT INTO "tracks" VALUES(1,X'2F6D757369632F70656E64696E672E6D7033',X'2F6D75736963',X'2F6D75736963',1001,1700000000000000001,1,NULL,NULL,NULL,'Jane','Song 1',201.0,'pending',0,'scan',1700000000.0,1700000000.0,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000001.0,0.5,'review','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,'lrclib.net','Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(2,X'2F6D757369632F776F726B696E672E6D7033',X'2F6D75736963',X'2F6D75736963',1002,1700000000000000002,2,NULL,NULL,NULL,'Jane','Song 2',202.0,'working',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000002.0,0.5,'review','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(3,X'2F6D757369632F646F6E652E6D7033',X'2F6D75736963',X'2F6D75736963',1003,1700000000000000003,3,NULL,NULL,NULL,'Jane','Song 3',203.0,'done',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000003.0,0.5,'words','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(4,X'2F6D757369632F6C696E65732E6D7033',X'2F6D75736963',X'2F6D75736963',1004,1700000000000000004,4,NULL,NULL,NULL,'Jane','Song 4',204.0,'lines',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000004.0,0.5,'lines','A person accepted its words',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(5,X'2F6D757369632F7265766965772E6D7033',X'2F6D75736963',X'2F6D75736963',1005,1700000000000000005,5,NULL,NULL,NULL,'Jane','Song 5',205.0,'review',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000005.0,0.5,'review','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(6,X'2F6D757369632F6E6F5F6C79726963732E6D7033',X'2F6D75736963',X'2F6D75736963',1006,1700000000000000006,6,NULL,NULL,NULL,'Jane','Song 6',206.0,'no_lyrics',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000006.0,0.5,'review','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(7,X'2F6D757369632F696E737472756D656E74616C2E6D7033',X'2F6D75736963',X'2F6D75736963',1007,1700000000000000007,7,NULL,NULL,NULL,'Jane','Song 7',207.0,'instrumental',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000007.0,0.5,'review','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(8,X'2F6D757369632F6661696C65642E6D7033',X'2F6D75736963',X'2F6D75736963',1008,1700000000000000008,8,NULL,NULL,NULL,'Jane','Song 8',208.0,'failed',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000008.0,0.5,'review','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(9,X'2F6D757369632F69676E6F7265642E6D7033',X'2F6D75736963',X'2F6D75736963',1009,1700000000000000009,9,NULL,NULL,NULL,'Jane','Song 9',209.0,'ignored',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000009.0,0.5,'review','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
INSERT INTO "tracks" VALUES(10,X'2F6D757369632F636166E920FF2E6D7033',X'2F6D75736963',X'2F6D75736963',1010,1700000000000000010,10,NULL,NULL,NULL,'Jane','Song 10',210.0,'mixed',0,'scan',1700000000.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,1700000010.0,0.5,'mixed','50 % of the words are sure',NULL,NULL,'spleeter','sphinx',NULL,NULL,'{"align": 5.5}','["/music/a.lrc"]','[]',NULL,NULL,NULL,NULL,NULL,'Stars',NULL,NULL,NULL,NULL);
CREATE INDEX drafts_at ON drafts (at);
CREATE INDEX tracks_folder ON tracks (folder);
CREATE INDEX tracks_library ON tracks (library);
CREATE INDEX tracks_state ON tracks (state, next_attempt_at);
CREATE INDEX tracks_inode ON tracks (inode);
CREATE INDEX tracks_recording ON tracks (recording_id);
CREATE INDEX tracks_name ON tracks (name_key);
CREATE INDEX drafts_by_hand ON drafts (id) WHERE by_hand = 1;
CREATE INDEX tracks_finished ON tracks (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX tracks_waits ON tracks (waits_for) WHERE waits_for != '';
CREATE INDEX tracks_artist ON tracks (artist IS NULL, artist COLLATE NOCASE, title COLLATE NOCASE, path, id, missing_since);
COMMIT;
