/* A host's database as tests write it: JSON with ' for ", in the form of a monitor's reply. */
#ifndef TESTS_UNIT_OVSDB_SAMPLES_H
#define TESTS_UNIT_OVSDB_SAMPLES_H 1

#include "ofproto/ovsdb/ovsdb_update.h"

/* Row UUIDs: SAMPLE_UUID("01") is one. */
#define SAMPLE_UUID(XX) "00000000-0000-4000-8000-0000000000" XX
#define SAMPLE_REF(XX) "['uuid','" SAMPLE_UUID(XX) "']"

json_t *sample_json(const char *text); /* fails the test if it is not JSON */
void sample_update(struct ovsdb_rows *, enum ovsdb_dialect, const char *text);

/* Rows with one Open_vSwitch row, 01, whose external_ids are 'ids' ("['system-id','hv1'],..."), and the other tables in
 * 'tables' ("'Bridge':{...}" or ""). */
void sample_rows(struct ovsdb_rows *, const char *ids, const char *root_columns, const char *tables);

#endif
