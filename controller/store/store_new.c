/* A store file that is not there yet: made whole in memory and put under its name only when all of it is on the disk, so that a crash in between leaves
 * either no file or a good one. One that is there but empty was not made so, and is refused. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "controller/store/store_file.h"

static bool
refuse_place(const char *path, const char *what, struct error *err)
{
    return error_set(err, ERROR_UNAVAILABLE, "store '%s' cannot be %s: %s; make its directory, or name another with --store=sqlite:FILE",
                     path, what, strerror(errno));
}

static bool
sync_folder(const char *path)
{
    char *copy = mem_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && !fsync(fd);
    if (fd >= 0)
        close(fd);
    free(copy);
    return ok;
}

static bool
write_all(int fd, const unsigned char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            n -= (size_t) written;
        }
    }
    return !fsync(fd);
}

/* Under its name only when all of it is on the disk; no one else may read it. Whoever was first with the name has it. A log that an earlier file of
 * the name has left is none of this one's. */
static bool
place_file(const char *path, const unsigned char *bytes, size_t n, struct error *err)
{
    char *log = mem_printf("%s-wal", path), *temporary = mem_printf("%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, bytes, n) && (!unlink(log) || errno == ENOENT) && (!link(temporary, path) || errno == EEXIST)
              && sync_folder(path);
    ok = ok || refuse_place(path, "made", err);
    if (fd >= 0) {
        close(fd);
        unlink(temporary);
    }
    free(log);
    free(temporary);
    return ok;
}

static bool
make_new(const char *path, struct error *err)
{
    sqlite3_int64 n;
    struct store_file f = { .path = (char *) path };
    bool ok = (sqlite3_open(":memory:", &f.db) == SQLITE_OK || store_file_error(&f, err, "cannot be made")) && store_schema_make(&f, err);
    unsigned char *bytes = ok ? sqlite3_serialize(f.db, "main", &n, 0) : NULL;
    ok = ok && (bytes || store_file_error(&f, err, "cannot be made")) && place_file(path, bytes, (size_t) n, err);
    sqlite3_free(bytes);
    sqlite3_close(f.db);
    return ok;
}

bool
store_file_refuse_empty(const char *path, struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "store '%s' is empty, which no store of vnetd's is: restore it from a backup, or remove it to begin anew with nothing",
                     path);
}

bool
store_file_find_or_make(const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st))
        return errno == ENOENT ? make_new(path, err) : refuse_place(path, "opened", err);
    return st.st_size || !S_ISREG(st.st_mode) || store_file_refuse_empty(path, err);
}
