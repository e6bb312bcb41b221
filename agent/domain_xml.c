#include "agent/domain_xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

/* ---- the tree ---- */

static bool
is_element(const xmlNode *node, const char *name, const char *namespace)
{
    const char *ns = node->ns ? (const char *) node->ns->href : NULL;
    return node->type == XML_ELEMENT_NODE && !strcmp((const char *) node->name, name) && (namespace ? ns && !strcmp(ns, namespace) : !ns);
}

/* The first child of that name after 'after' (NULL: the first of all). */
static xmlNode *
child_next(const xmlNode *parent, const xmlNode *after, const char *name)
{
    for (xmlNode *n = after ? after->next : parent ? parent->children : NULL; n; n = n->next)
        if (is_element(n, name, NULL))
            return n;
    return NULL;
}

static xmlNode *
child(const xmlNode *parent, const char *name)
{
    return child_next(parent, NULL, name);
}

/* Copies: NULL where there is none. */
static char *
attribute(const xmlNode *node, const char *name)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *) name) : NULL;
    char *copy = value ? mem_strdup((const char *) value) : NULL;
    xmlFree(value);
    return copy;
}

static char *
content(const xmlNode *node)
{
    xmlChar *value = node ? xmlNodeGetContent(node) : NULL;
    char *copy = value ? mem_strdup((const char *) value) : NULL;
    xmlFree(value);
    return copy;
}

/* ---- the domain ---- */

static bool
read_identity(const xmlNode *root, struct domain_doc *d, struct error *err)
{
    char *id = content(child(root, "uuid"));
    d->name = content(child(root, "name"));
    bool ok = id && uuid_parse(id, &d->id);
    free(id);
    if (!d->name || !*d->name)
        return error_set(err, ERROR_INVALID, "domain: it has no <name>");
    return ok || error_set(err, ERROR_INVALID, "domain '%.100s': it has no proper <uuid>", d->name);
}

static void
read_interface(const xmlNode *node, struct domain_doc *d)
{
    struct domain_interface *i = &d->interfaces[d->n_interfaces];
    const xmlNode *virtualport = child(node, "virtualport");
    struct uuid id;
    char *mac = attribute(child(node, "mac"), "address"), *type = attribute(virtualport, "type");
    char *text = attribute(child(virtualport, "parameters"), "interfaceid");
    if (mac && mac_parse(mac, &i->mac))
        d->n_interfaces++;
    if (type && !strcmp(type, "openvswitch") && text && uuid_parse(text, &id))
        uuid_format(id, i->id);
    free(mac);
    free(type);
    free(text);
}

static void
read_interfaces(const xmlNode *root, struct domain_doc *d)
{
    const xmlNode *devices = child(root, "devices");
    for (const xmlNode *n = NULL; (n = child_next(devices, n, "interface")) && d->n_interfaces < DOMAIN_INTERFACES_MAX;)
        read_interface(n, d);
}

/* ---- the declaration ---- */

static bool
check_attributes(const xmlNode *node, const char *known, struct error *err)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        char *word = mem_printf(" %s ", (const char *) a->name);
        bool ok = !a->ns && strstr(known, word);
        free(word);
        if (!ok)
            return error_set(err, ERROR_INVALID, "<vnet:%s>: attribute '%.60s' is unknown; known are:%s", (const char *) node->name,
                             (const char *) a->name, known);
    }
    return true;
}

static struct domain_interface *
interface_by_mac(struct domain_doc *d, struct mac mac)
{
    for (size_t i = 0; i < d->n_interfaces; i++)
        if (mac_equal(d->interfaces[i].mac, mac))
            return &d->interfaces[i];
    return NULL;
}

static bool
take_declared(struct domain_doc *d, const xmlNode *node, const char *text, struct error *err)
{
    struct mac mac;
    struct domain_interface *i = mac_parse(text, &mac) ? interface_by_mac(d, mac) : NULL;
    if (!i)
        return error_set(err, ERROR_INVALID, "<vnet:interface mac='%.40s'>: the domain has no interface with this MAC", text);
    if (i->is_declared)
        return error_set(err, ERROR_INVALID, "<vnet:interface mac='%s'>: it is there twice", text);
    if (!i->id[0])
        return error_set(err, ERROR_INVALID, "<vnet:interface mac='%s'>: that interface needs <virtualport type='openvswitch'>", text);
    i->is_declared = true;
    i->subnet = attribute(node, "subnet");
    i->port = attribute(node, "port");
    i->ip = attribute(node, "ip");
    i->sg = attribute(node, "sg");
    if (!i->subnet || !*i->subnet)
        return error_set(err, ERROR_INVALID, "<vnet:interface mac='%s'>: subnet is missing; write the name of a subnet", text);
    return true;
}

static bool
read_declared(struct domain_doc *d, const xmlNode *node, struct error *err)
{
    char *mac = attribute(node, "mac");
    bool ok = check_attributes(node, " mac subnet port ip sg ", err)
              && (mac || error_set(err, ERROR_INVALID, "<vnet:interface>: mac is missing; write that of one of the domain's interfaces"))
              && take_declared(d, node, mac, err);
    free(mac);
    return ok;
}

/* Ports are called as the domain, from the second interface on with a number behind. */
static void
name_ports(struct domain_doc *d)
{
    unsigned n = 0;
    for (size_t i = 0; i < d->n_interfaces; i++, n++) {
        struct domain_interface *f = &d->interfaces[i];
        f->is_port_named = f->port != NULL;
        if (f->is_declared && !f->port)
            f->port = n ? mem_printf("%s-%u", d->name, n) : mem_strdup(d->name);
    }
}

static bool
read_instance(struct domain_doc *d, const xmlNode *instance, struct error *err)
{
    d->tenant = attribute(instance, "tenant");
    if (!check_attributes(instance, " tenant ", err))
        return false;
    for (const xmlNode *n = instance->children; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE)
            continue;
        if (!is_element(n, "interface", DOMAIN_NAMESPACE))
            return error_set(err, ERROR_INVALID, "<vnet:instance>: element <%.60s> is unknown; it holds <vnet:interface>",
                             (const char *) n->name);
        if (!read_declared(d, n, err))
            return false;
    }
    return true;
}

static void
undeclare(struct domain_doc *d)
{
    for (size_t i = 0; i < d->n_interfaces; i++)
        d->interfaces[i].is_declared = false;
}

static void
read_metadata(const xmlNode *root, struct domain_doc *d)
{
    const xmlNode *metadata = child(root, "metadata");
    for (const xmlNode *n = metadata ? metadata->children : NULL; n; n = n->next) {
        if (!is_element(n, "instance", DOMAIN_NAMESPACE))
            continue;
        d->is_declaring = true;
        if (!read_instance(d, n, &d->declaration))
            undeclare(d);
        break;
    }
    name_ports(d);
    if (!d->tenant)
        d->tenant = mem_strdup("default");
}

struct domain_doc *
domain_doc_parse(const char *xml, size_t n, struct error *err)
{
    if (n > DOMAIN_XML_MAX) {
        error_set(err, ERROR_TOO_LARGE, "domain: its XML has more than %d bytes", DOMAIN_XML_MAX);
        return NULL;
    }
    xmlDoc *tree = xmlReadMemory(xml, (int) n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const xmlNode *root = tree ? xmlDocGetRootElement(tree) : NULL;
    struct domain_doc *d = mem_zalloc(sizeof *d);
    bool ok = root && is_element(root, "domain", NULL) && !tree->intSubset;
    if (!ok)
        error_set(err, ERROR_INVALID, "domain: this is no XML of a <domain>");
    ok = ok && read_identity(root, d, err);
    if (ok) {
        read_interfaces(root, d);
        read_metadata(root, d);
    }
    xmlFreeDoc(tree);
    if (ok)
        return d;
    domain_doc_free(d);
    return NULL;
}

void
domain_doc_free(struct domain_doc *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < DOMAIN_INTERFACES_MAX; i++) {
        free(d->interfaces[i].subnet);
        free(d->interfaces[i].port);
        free(d->interfaces[i].ip);
        free(d->interfaces[i].sg);
    }
    free(d->name);
    free(d->tenant);
    free(d);
}
