/* Logging for daemons: where an error stops, one line with its subject. Pure layers do not log.
 * Levels and -vSPEC are Open vSwitch's (ovs-appctl(8)): off emer err warn info dbg; -v[MODULE[:DESTINATION[:LEVEL]]].
 *
 *     2026-11-22T10:00:00.123Z|00001|host|INFO|text
 *
 * What a peer can trigger is logged through a 'struct log_limit'. */
#ifndef BASE_LOG_H
#define BASE_LOG_H 1

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DBG };

/* Tokens for one kind of line: at most 'burst' at once and 'burst' a minute. What was left out is counted and
 * told with the next line. */
struct log_limit {
    unsigned burst;
    unsigned tokens, dropped;
    int64_t filled_at_ms;
};
#define LOG_LIMIT(BURST)                    \
    {                                       \
        .burst = (BURST), .tokens = (BURST) \
    }

/* 'program' names the daemon in a log file's first line. Logs to stderr, and after log_open_file() to the file too;
 * each has its own levels, all INFO at first. */
void log_init(const char *program);

/* The argument of -v; NULL or "" is 'dbg'. False: nothing is changed, and 'error' says what is wrong. Any word that
 * is neither destination nor level is a module's name; 'syslog' is taken and has no effect. */
bool log_spec(const char *spec, char *error, int error_size);
bool log_open_file(const char *file); /* appends; false: errno is set */
void log_reopen(void);                /* after rotation */
void log_console(bool on);            /* off after --detach */

void log_write(const char *module, enum log_level, const char *format, ...) __attribute__((format(printf, 3, 4)));
void log_write_limited(struct log_limit *, const char *module, enum log_level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A .c file says '#define LOG_MODULE "host"' before including this header. */
#define log_err(...) log_write(LOG_MODULE, LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_MODULE, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_MODULE, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_dbg(...) log_write(LOG_MODULE, LOG_LEVEL_DBG, __VA_ARGS__)
#define log_warn_limited(LIMIT, ...) log_write_limited(LIMIT, LOG_MODULE, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info_limited(LIMIT, ...) log_write_limited(LIMIT, LOG_MODULE, LOG_LEVEL_INFO, __VA_ARGS__)

#endif
