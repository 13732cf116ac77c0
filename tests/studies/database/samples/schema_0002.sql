BEGIN TRANSACTION;
CREATE TABLE artifact (
	study_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	num_bytes BIGINT NOT NULL, 
	trial_number INTEGER, 
	CONSTRAINT pk_artifact PRIMARY KEY (study_id, path), 
	CONSTRAINT fk_artifact_study FOREIGN KEY(study_id) REFERENCES study (id) ON DELETE CASCADE
);
INSERT INTO "artifact" VALUES(2,'models/best/block-1.safetensors','0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f',4096,1);
CREATE TABLE epoch (
	study_id INTEGER NOT NULL, 
	trial_number INTEGER NOT NULL, 
	replicate INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	sequence BIGINT NOT NULL, 
	train_loss DOUBLE, 
	train_accuracy DOUBLE, 
	val_loss DOUBLE, 
	val_accuracy DOUBLE, 
	learning_rate DOUBLE, 
	metrics JSON NOT NULL, fencing_token BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_epoch PRIMARY KEY (study_id, trial_number, replicate, epoch), 
	CONSTRAINT fk_epoch_trial FOREIGN KEY(study_id, trial_number) REFERENCES trial (study_id, number) ON DELETE CASCADE
);
INSERT INTO "epoch" VALUES(1,1,0,1,2,0.5,0.5,2.5,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,1,1,1,3,0.5,0.5,2.5,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,1,0,3,5,0.5,0.5,0.5,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,1,1,3,6,0.5,0.5,0.5,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,2,0,1,8,0.4,0.5,2.4,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,2,1,1,9,0.4,0.5,2.4,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,2,0,3,11,0.4,0.5,3.99999999999999911182e-01,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,2,1,3,12,0.4,0.5,3.99999999999999911182e-01,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,3,0,1,14,0.9,0.5,2.9,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,3,1,1,15,0.9,0.5,2.9,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,4,0,1,17,0.7,0.5,2.7,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,4,1,1,18,0.7,0.5,2.7,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,5,0,1,19,0.5,0.5,2.5,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,5,1,1,20,0.6,0.5,2.6,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,5,0,3,21,0.5,0.5,0.5,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,5,1,3,22,0.6,0.5,6.00000000000000088817e-01,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,6,0,1,23,0.4,0.5,2.4,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,6,1,1,24,NULL,0.5,NULL,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,6,0,3,25,0.4,0.5,3.99999999999999911182e-01,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(1,6,1,3,26,NULL,0.5,NULL,0.75,0.01,'{}',0);
INSERT INTO "epoch" VALUES(2,1,1,1,1,2.0,0.5,1.33333333333333325931e+00,0.25,0.01,'{"clip_fraction": 0.1}',0);
INSERT INTO "epoch" VALUES(2,1,2,1,2,3.0,0.5,1.66666666666666651863e+00,0.25,0.01,'{"clip_fraction": 0.2}',0);
INSERT INTO "epoch" VALUES(2,1,1,2,6,1.5,0.5,8.33333333333333259318e-01,0.25,0.01,'{"clip_fraction": 0.1}',0);
INSERT INTO "epoch" VALUES(2,1,2,2,7,2.5,0.5,1.16666666666666651863e+00,0.25,0.01,'{"clip_fraction": 0.2}',0);
INSERT INTO "epoch" VALUES(2,2,1,1,8,2.0,0.5,1.33333333333333325931e+00,0.25,0.01,'{"clip_fraction": 0.1}',0);
INSERT INTO "epoch" VALUES(2,2,2,1,9,3.0,0.5,1.66666666666666651863e+00,0.25,0.01,'{"clip_fraction": 0.2}',0);
CREATE TABLE evaluation (
	study_id INTEGER NOT NULL, 
	trial_number INTEGER NOT NULL, 
	replicate INTEGER NOT NULL, 
	confusion JSON, 
	calibration JSON, 
	samples JSON, 
	CONSTRAINT pk_evaluation PRIMARY KEY (study_id, trial_number, replicate), 
	CONSTRAINT fk_evaluation_trial FOREIGN KEY(study_id, trial_number) REFERENCES trial (study_id, number) ON DELETE CASCADE
);
INSERT INTO "evaluation" VALUES(2,1,1,'[[3, 1], [0, 4]]','[{"low": 0.5, "high": 1.0, "count": 8}]','[]');
CREATE TABLE event (
	study_id INTEGER NOT NULL, 
	sequence BIGINT NOT NULL, 
	at DATETIME NOT NULL, 
	kind TEXT NOT NULL, 
	trial_number INTEGER, 
	detail TEXT NOT NULL, fencing_token BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_event PRIMARY KEY (study_id, sequence), 
	CONSTRAINT fk_event_study FOREIGN KEY(study_id) REFERENCES study (id) ON DELETE CASCADE
);
INSERT INTO "event" VALUES(1,1,'2026-11-29 23:37:58.557867','run_started',NULL,'{"command": "python -m studies.run ./tiny_study.py", "dataset": {"num_classes": 10}, "workers": 2}',0);
CREATE TABLE layer_gradient (
	study_id INTEGER NOT NULL, 
	trial_number INTEGER NOT NULL, 
	replicate INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	layer INTEGER NOT NULL, 
	grad_l2 DOUBLE, 
	grad_l2_max DOUBLE, 
	grad_rms DOUBLE, 
	delta_rms DOUBLE, 
	weight_rms DOUBLE, 
	update_ratio DOUBLE, 
	activation_mean DOUBLE, 
	activation_std DOUBLE, 
	dead_fraction DOUBLE, 
	CONSTRAINT pk_layer_gradient PRIMARY KEY (study_id, trial_number, replicate, epoch, layer), 
	CONSTRAINT fk_layer_gradient_trial FOREIGN KEY(study_id, trial_number) REFERENCES trial (study_id, number) ON DELETE CASCADE
);
INSERT INTO "layer_gradient" VALUES(2,1,1,0,1,1.0,1.5,0.0,0.0,0.25,NULL,0.0,0.0,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,1,0,2,2.0,2.5,0.0,0.0,0.25,NULL,0.0,0.0,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,1,1,1,2.0,2.5,3.33333333333333314829e-01,1.42857142857142849212e-01,0.25,0.001,1.11111111111111104943e-01,9.09090909090909116141e-02,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,1,1,2,3.0,3.5,3.33333333333333314829e-01,1.42857142857142849212e-01,0.25,0.001,1.11111111111111104943e-01,9.09090909090909116141e-02,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,2,0,1,1.0,1.5,0.0,0.0,0.25,NULL,0.0,0.0,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,2,0,2,2.0,2.5,0.0,0.0,0.25,NULL,0.0,0.0,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,2,1,1,2.0,2.5,3.33333333333333314829e-01,1.42857142857142849212e-01,0.25,0.001,1.11111111111111104943e-01,9.09090909090909116141e-02,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,2,1,2,3.0,3.5,3.33333333333333314829e-01,1.42857142857142849212e-01,0.25,0.001,1.11111111111111104943e-01,9.09090909090909116141e-02,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,1,2,1,3.0,3.5,6.66666666666666629659e-01,2.85714285714285698425e-01,0.25,0.001,2.22222222222222209886e-01,1.81818181818181823228e-01,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,1,2,2,4.0,4.5,6.66666666666666629659e-01,2.85714285714285698425e-01,0.25,0.001,2.22222222222222209886e-01,1.81818181818181823228e-01,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,1,2,3,5.0,5.5,6.66666666666666629659e-01,2.85714285714285698425e-01,0.25,0.001,2.22222222222222209886e-01,1.81818181818181823228e-01,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,2,2,1,3.0,3.5,6.66666666666666629659e-01,2.85714285714285698425e-01,0.25,0.001,2.22222222222222209886e-01,1.81818181818181823228e-01,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,2,2,2,4.0,4.5,6.66666666666666629659e-01,2.85714285714285698425e-01,0.25,0.001,2.22222222222222209886e-01,1.81818181818181823228e-01,0.125);
INSERT INTO "layer_gradient" VALUES(2,1,2,2,3,5.0,5.5,6.66666666666666629659e-01,2.85714285714285698425e-01,0.25,0.001,2.22222222222222209886e-01,1.81818181818181823228e-01,0.125);
INSERT INTO "layer_gradient" VALUES(2,2,1,0,1,1.0,1.5,0.0,0.0,0.25,NULL,0.0,0.0,0.125);
INSERT INTO "layer_gradient" VALUES(2,2,1,1,1,2.0,2.5,3.33333333333333314829e-01,1.42857142857142849212e-01,0.25,0.001,1.11111111111111104943e-01,9.09090909090909116141e-02,0.125);
INSERT INTO "layer_gradient" VALUES(2,2,2,0,1,1.0,1.5,0.0,0.0,0.25,NULL,0.0,0.0,0.125);
INSERT INTO "layer_gradient" VALUES(2,2,2,1,1,2.0,2.5,3.33333333333333314829e-01,1.42857142857142849212e-01,0.25,0.001,1.11111111111111104943e-01,9.09090909090909116141e-02,0.125);
CREATE TABLE replicate (
	study_id INTEGER NOT NULL, 
	trial_number INTEGER NOT NULL, 
	replicate INTEGER NOT NULL, 
	block INTEGER NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	val_loss DOUBLE, 
	val_accuracy DOUBLE, 
	test_loss DOUBLE, 
	test_accuracy DOUBLE, 
	metrics JSON NOT NULL, 
	verdict_initial TEXT, 
	verdict_trained TEXT, 
	verdicts JSON, 
	CONSTRAINT pk_replicate PRIMARY KEY (study_id, trial_number, replicate), 
	CONSTRAINT fk_replicate_trial FOREIGN KEY(study_id, trial_number) REFERENCES trial (study_id, number) ON DELETE CASCADE
);
INSERT INTO "replicate" VALUES(1,1,0,0,'complete',0.5,0.9,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,1,1,1,'complete',0.5,0.9,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,2,0,0,'complete',0.4,0.9,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,2,1,1,'complete',0.4,0.9,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,3,0,0,'stopped',0.9,0.9,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,3,1,1,'stopped',0.9,0.9,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,4,0,0,'failed',NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,4,1,1,'failed',NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,5,0,0,'complete',0.5,0.9,0.6,0.85,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,5,1,1,'complete',0.6,0.9,0.7,0.85,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,6,0,0,'complete',0.4,0.9,0.5,0.85,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(1,6,1,1,'diverged',NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL);
INSERT INTO "replicate" VALUES(2,1,1,1,'complete',0.5,0.75,NULL,NULL,'{}','vanishing',NULL,'{"initial": [{"rule": "growth", "value": 0.1}]}');
INSERT INTO "replicate" VALUES(2,1,2,2,'complete',0.5,0.75,NULL,NULL,'{}',NULL,NULL,NULL);
CREATE TABLE rung_result (
	study_id INTEGER NOT NULL, 
	trial_number INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	sequence BIGINT NOT NULL, 
	objective DOUBLE, 
	decision VARCHAR(16) NOT NULL, fencing_token BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_rung_result PRIMARY KEY (study_id, trial_number, epoch), 
	CONSTRAINT fk_rung_result_trial FOREIGN KEY(study_id, trial_number) REFERENCES trial (study_id, number) ON DELETE CASCADE
);
INSERT INTO "rung_result" VALUES(1,1,1,4,0.5,'continue',0);
INSERT INTO "rung_result" VALUES(1,1,3,7,0.5,'continue',0);
INSERT INTO "rung_result" VALUES(1,2,1,10,0.4,'continue',0);
INSERT INTO "rung_result" VALUES(1,2,3,13,0.4,'continue',0);
INSERT INTO "rung_result" VALUES(1,3,1,16,0.9,'stop',0);
INSERT INTO "rung_result" VALUES(2,1,1,3,1.0,'continue',0);
INSERT INTO "rung_result" VALUES(2,2,1,10,1.0,'continue',0);
CREATE TABLE studies_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT studies_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "studies_version" VALUES('0002');
CREATE TABLE study (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	question TEXT NOT NULL, 
	"plan" JSON NOT NULL, 
	plan_hash TEXT NOT NULL, 
	seed BIGINT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	sequence BIGINT NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, fencing_token BIGINT DEFAULT '0' NOT NULL, holder_host TEXT, holder_process INTEGER, held_since DATETIME, stop_requested_at DATETIME, 
	CONSTRAINT pk_study PRIMARY KEY (id), 
	CONSTRAINT uq_study_name UNIQUE (name)
);
INSERT INTO "study" VALUES(1,'tiny_study','Does depth help?','{"question": "Does depth help?", "dataset": "digits", "dataset_fingerprint": "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "model": "mlp", "objective": "val_loss", "factors": {"depth": [3, 5]}, "nuisances": {"learning_rate": {"low": 0.0001, "high": 0.1, "log": true}}, "fixed": {"width": 16}, "replicates": 2, "looks": [], "seed": 0, "search": {"trials_per_cell": 2, "trials": null, "rungs": [1, 3], "reduction_factor": 3, "sampler": "qmc"}, "confirm": {"epochs": 3, "best": 3, "default": {}}, "smallest_effect": {"log_loss": 0.02, "error": 0.005}, "thresholds": {"blown_up": 2.0, "untrained": 0.95, "total_growth": 100.0, "growth": 1.6, "growth_total": 10.0, "watch": 10.0, "spike_rate": 0.01, "dead_fraction": 0.5, "stalled": 1e-05, "hot": 0.1}, "source_hash": null}','8c50c09033bb1de17fc230d0da8011a59911d24e032a91e3e1df71b9ac2bee86',0,'complete',26,'2026-11-29 23:37:58.525710','2026-11-29 23:37:58.734759',0,NULL,NULL,NULL,NULL);
INSERT INTO "study" VALUES(2,'cut_off','''; DROP TABLE study; -- 🌀
?','{"question": "Does depth help?", "factors": {"depth": [3, 5], "batch_norm": [false, true]}, "nuisances": {"learning_rate": {"low": 0.001, "high": 0.1, "log": true}}}','abababababababababababababababababababababababababababababababab',7,'running',12,'2026-11-29 23:37:58.738351','2026-11-29 23:37:58.806411',0,NULL,NULL,NULL,NULL);
CREATE TABLE trial (
	study_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	phase VARCHAR(16) NOT NULL, 
	cell INTEGER, 
	params JSON NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	stop_reason TEXT, 
	rung INTEGER, 
	epochs INTEGER NOT NULL, 
	attempt_epochs INTEGER NOT NULL, 
	objective DOUBLE, 
	attempt INTEGER NOT NULL, 
	started_at DATETIME, 
	ended_at DATETIME, 
	busy_seconds DOUBLE NOT NULL, 
	error TEXT, 
	worker TEXT, 
	versions JSON, 
	CONSTRAINT pk_trial PRIMARY KEY (study_id, number), 
	CONSTRAINT fk_trial_study FOREIGN KEY(study_id) REFERENCES study (id) ON DELETE CASCADE
);
INSERT INTO "trial" VALUES(1,1,'search',1,'{"depth": 3, "learning_rate": 0.01}','complete',NULL,3,3,3,0.5,1,'2026-05-04 12:30:00.000000','2026-05-04 12:30:03.000000',3.0,NULL,'host:7','{"torch": "2.13"}');
INSERT INTO "trial" VALUES(1,2,'search',2,'{"depth": 5, "learning_rate": 0.02}','complete',NULL,3,3,3,0.4,1,'2026-05-04 12:30:00.000000','2026-05-04 12:30:03.000000',3.0,NULL,'host:7','{"torch": "2.13"}');
INSERT INTO "trial" VALUES(1,3,'search',1,'{"depth": 3, "learning_rate": 0.0012}','pruned','ASHA at epoch 1',1,1,1,0.9,1,'2026-05-04 12:30:00.000000','2026-05-04 12:30:03.000000',1.5,NULL,'host:7','{"torch": "2.13"}');
INSERT INTO "trial" VALUES(1,4,'search',2,'{"depth": 5, "learning_rate": 0.05}','failed',NULL,NULL,1,1,NULL,1,'2026-05-04 12:30:00.000000','2026-05-04 12:30:03.000000',1.5,'Traceback (most recent call last):
  File "x.py", line 1, in f
ValueError: [2Jno such luck
','host:7','{"torch": "2.13"}');
INSERT INTO "trial" VALUES(1,5,'confirm',1,'{"depth": 3, "learning_rate": 0.01}','complete',NULL,NULL,3,3,0.55,1,'2026-05-04 12:30:00.000000','2026-05-04 12:30:03.000000',3.0,NULL,'host:7','{"torch": "2.13"}');
INSERT INTO "trial" VALUES(1,6,'confirm',2,'{"depth": 5, "learning_rate": 0.02}','complete',NULL,NULL,3,3,1.35129254649702290613e+00,1,'2026-05-04 12:30:00.000000','2026-05-04 12:30:03.000000',3.0,NULL,'host:7','{"torch": "2.13"}');
INSERT INTO "trial" VALUES(2,1,'search',1,'{"depth": 3, "batch_norm": true, "learning_rate": 0.01}','complete',NULL,1,2,2,0.5,1,'2026-05-04 12:30:15.250000','2026-05-04 12:30:15.250000',5.0,NULL,'host:1','{"torch": "2.13"}');
INSERT INTO "trial" VALUES(2,2,'search',1,'{"depth": 3, "batch_norm": true, "learning_rate": 0.01}','running',NULL,1,1,1,NULL,1,'2026-05-04 12:30:15.250000',NULL,2.0,NULL,'host:1','{"torch": "2.13"}');
INSERT INTO "trial" VALUES(2,3,'search',1,'{"depth": 3, "batch_norm": true, "learning_rate": 0.01}','waiting',NULL,NULL,0,0,NULL,0,NULL,NULL,0.0,NULL,NULL,NULL);
COMMIT;
