/* The schema's versions. A file says which it has (user_version: major * 1000 + minor); the steps above that are run in order, all in one
 * transaction. A newer minor version only adds, so it is used as it is; a newer major one is refused. */
#include <string.h>

#include "base/alloc.h"
#include "controller/store/store_file.h"

#define MAJOR 1
#define APPLICATION_ID 0x766e6574 /* "vnet" */

/* Rising versions; never change a step that was released. */
static const struct {
    int version;
    const char *sql;
} steps[] = {
    { 1000, "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
            "INSERT INTO meta VALUES ('revision', 0), ('next_number', 0), ('next_vni', 0), ('generation', 0);"
            "CREATE TABLE object (number INTEGER PRIMARY KEY, document TEXT NOT NULL);"
            "CREATE TABLE tombstone (number INTEGER PRIMARY KEY);"
            "CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE answer (seq INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,"
            "                     answer TEXT NOT NULL, UNIQUE (scope, key));"
            "CREATE TABLE journal (revision INTEGER PRIMARY KEY, who TEXT NOT NULL, at_ms INTEGER NOT NULL, summary TEXT NOT NULL);" },
    { 1001, "CREATE INDEX answer_age ON answer (scope, seq);" },
};

static bool
pragma_get(const struct store_file *f, const char *sql, int *value, struct error *err)
{
    sqlite3_stmt *s = NULL;
    bool ok = sqlite3_prepare_v2(f->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    if (ok)
        *value = sqlite3_column_int(s, 0);
    else
        store_file_error(f, err, "cannot be read");
    sqlite3_finalize(s);
    return ok;
}

static bool
is_empty_file(const struct store_file *f, bool *is_empty, struct error *err)
{
    int n;
    if (!pragma_get(f, "SELECT count(*) FROM sqlite_schema", &n, err))
        return false;
    *is_empty = !n;
    return true;
}

static bool
run_step(struct store_file *f, size_t i, struct error *err)
{
    char *version = mem_printf("PRAGMA user_version = %d", steps[i].version);
    bool ok =
        (sqlite3_exec(f->db, steps[i].sql, NULL, NULL, NULL) == SQLITE_OK && sqlite3_exec(f->db, version, NULL, NULL, NULL) == SQLITE_OK)
        || store_file_error(f, err, "its schema cannot be brought up to date");
    free(version);
    return ok;
}

static bool
check_identity(struct store_file *f, int *version, struct error *err)
{
    int id;
    bool is_empty;
    if (!pragma_get(f, "PRAGMA application_id", &id, err) || !pragma_get(f, "PRAGMA user_version", version, err)
        || !is_empty_file(f, &is_empty, err))
        return false;
    if (is_empty && !id && !*version)
        return store_file_refuse_empty(f->path, err);
    if (id != APPLICATION_ID)
        return error_set(err, ERROR_INVALID, "store '%s' is another program's SQLite file; name another with --store=sqlite:FILE", f->path);
    if (*version / 1000 > MAJOR)
        return error_set(err, ERROR_INVALID,
                         "store '%s' has schema %d.%d, this vnetd knows up to %d; start a newer vnetd, or restore the "
                         "backup made before the upgrade",
                         f->path, *version / 1000, *version % 1000, MAJOR);
    return true;
}

/* All steps above the version. */
static bool
run_steps(struct store_file *f, int version, struct error *err)
{
    if (!store_file_begin(f, true, err))
        return false;
    char *identify = mem_printf("PRAGMA application_id = %d", APPLICATION_ID);
    bool ok = sqlite3_exec(f->db, identify, NULL, NULL, NULL) == SQLITE_OK || store_file_error(f, err, "cannot be written");
    free(identify);
    for (size_t i = 0; ok && i < sizeof steps / sizeof steps[0]; i++)
        ok = steps[i].version <= version || run_step(f, i, err);
    if (ok && store_file_commit(f, err))
        return true;
    store_file_roll_back(f);
    return false;
}

bool
store_schema_make(struct store_file *f, struct error *err)
{
    return run_steps(f, 0, err);
}

bool
store_schema_migrate(struct store_file *f, struct error *err)
{
    int version;
    return check_identity(f, &version, err) && run_steps(f, version, err);
}
