/* The file in which numbers.c remembers: {"ports": {IFACE-ID: NUMBER}} (state_file.h). What a crash of the machine loses goes with the switch's
 * flows. */
#ifndef AGENT_NUMBERS_FILE_H
#define AGENT_NUMBERS_FILE_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

#define NUMBERS_ID_MAX 255 /* bytes of an iface-id that is remembered */
#define NUMBERS_OFPORT_MAX 0xfeff

/* A file that is not there holds nothing. False with *err: it is not what we write; what was read before that has been told. */
bool numbers_file_read(const char *file, void (*each)(void *aux, const char *iface_id, uint32_t number), void *aux,
                       struct error *) MUST_CHECK;
/* The same for its text. Pure. */
bool numbers_file_parse(const char *text, size_t n, void (*each)(void *aux, const char *iface_id, uint32_t number), void *aux,
                        struct error *) MUST_CHECK;
/* 'take_ports': the object of ids and numbers. The folder is made if it is not there. */
bool numbers_file_write(const char *file, json_t *take_ports, struct error *) MUST_CHECK;

#endif
