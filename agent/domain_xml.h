/* What vnet needs of a domain's XML: who it is, its interfaces, and the ports it declares in its metadata (vnet-libvirt(7)). Pure. The XML is
 * taken as a stranger's: no entities, no network, bounded. */
#ifndef AGENT_DOMAIN_XML_H
#define AGENT_DOMAIN_XML_H 1

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/uuid.h"

#define DOMAIN_INTERFACES_MAX 64
#define DOMAIN_XML_MAX (4 << 20)
#define DOMAIN_NAMESPACE "urn:vnet:1"

struct domain_interface {
    struct mac mac;
    char id[UUID_STRLEN];            /* its interfaceid, which is the port's id; "": it is not on an Open vSwitch bridge */
    bool is_declared, is_port_named; /* is_port_named: 'port' is written, not made up of the domain's name */
    char *subnet, *port, *ip, *sg;   /* as written, if declared; NULL: not given. 'port' always is */
};

struct domain_doc {
    struct uuid id;
    char *name;
    bool is_declaring; /* it has <vnet:instance> */
    char *tenant;      /* "default" unless given */
    struct domain_interface interfaces[DOMAIN_INTERFACES_MAX];
    size_t n_interfaces;
    struct error declaration; /* text "": fine. Else what is wrong with what it declares, which then counts as not declared */
};

/* NULL with *err: it is no domain's XML. What is wrong only with the declaration is in the document. */
struct domain_doc *domain_doc_parse(const char *xml, size_t n, struct error *) MUST_CHECK;
void domain_doc_free(struct domain_doc *);

#endif
