noinst_LIBRARIES += libvnet.a
libvnet_a_SOURCES =

libvnet_a_SOURCES += \
	vnet/pipeline/compiler.c vnet/pipeline/compiler.h \
	vnet/pipeline/compiler_place.c \
	vnet/pipeline/compiler_private.h vnet/pipeline/compiler_run.c \
	vnet/pipeline/dirty.c vnet/pipeline/dirty.h \
	vnet/pipeline/feature.c vnet/pipeline/feature.h \
	vnet/pipeline/layout.c vnet/pipeline/layout.h \
	vnet/pipeline/placement.c vnet/pipeline/placement.h \
	vnet/pipeline/port_facts.c vnet/pipeline/port_facts.h \
	vnet/pipeline/presence.c vnet/pipeline/presence.h \
	vnet/pipeline/priority.h \
	vnet/pipeline/runtime.c vnet/pipeline/runtime.h \
	vnet/pipeline/scratch.c \
	vnet/pipeline/stage.c vnet/pipeline/stage.h \
	vnet/pipeline/touch.c vnet/pipeline/touch.h \
	vnet/pipeline/words.c vnet/pipeline/words.h
libvnet_a_SOURCES += \
	vnet/feature/admit/admit.c \
	vnet/feature/arp/arp.c \
	vnet/feature/base/base.c \
	vnet/feature/dhcp/dhcp.c \
	vnet/feature/eip/eip.c \
	vnet/feature/eip/eip_narrow.c \
	vnet/feature/eip/eip_resume.c vnet/feature/eip/eip_private.h \
	vnet/feature/gateway/gateway.c \
	vnet/feature/l2/l2.c \
	vnet/feature/lb/lb.c vnet/feature/lb/lb_private.h \
	vnet/feature/lb/lb_balancer.c \
	vnet/feature/lb/lb_facts.c vnet/feature/lb/lb_health.h \
	vnet/feature/lb/lb_listener.c \
	vnet/feature/lb/lb_port.c \
	vnet/feature/lb/lb_target.c \
	vnet/feature/lb/lb_touch.c \
	vnet/feature/lb_check/lb_check.c \
	vnet/feature/migrate/migrate.c \
	vnet/feature/natgw/natgw.c \
	vnet/feature/reject/reject.c vnet/feature/reject/reject.h \
	vnet/feature/route/route.c \
	vnet/feature/sg/sg.c vnet/feature/sg/sg.h vnet/feature/sg/sg_private.h \
	vnet/feature/sg/sg_judge.c \
	vnet/feature/sg/sg_lets_in.c \
	vnet/feature/sg/sg_port.c \
	vnet/feature/sg/sg_rule.c \
	vnet/feature/sg/sg_set.c \
	vnet/feature/sg/sg_touch.c \
	vnet/feature/tunnel/tunnel.c \
	vnet/feature/uplink/uplink.c vnet/feature/uplink/uplink.h
libvnet_a_SOURCES += \
	vnet/packet/arp.c vnet/packet/arp.h \
	vnet/packet/checksum.c vnet/packet/checksum.h \
	vnet/packet/dhcp.c vnet/packet/dhcp.h \
	vnet/packet/dhcp_request.c vnet/packet/dhcp_request.h \
	vnet/packet/icmp.c vnet/packet/icmp.h \
	vnet/packet/icmp_echo.c vnet/packet/icmp_echo.h \
	vnet/packet/icmp_inner.c vnet/packet/icmp_inner.h \
	vnet/packet/ipv4.c vnet/packet/ipv4.h \
	vnet/packet/probe.c vnet/packet/probe.h \
	vnet/packet/tcp.c vnet/packet/tcp.h \
	vnet/packet/userdata.c vnet/packet/userdata.h
libvnet_a_SOURCES += \
	vnet/model/cidr.c \
	vnet/model/fact.c \
	vnet/model/field.h \
	vnet/model/field_json.c \
	vnet/model/field_l4.c \
	vnet/model/field_map.c \
	vnet/model/field_peer.c \
	vnet/model/field_range.c \
	vnet/model/field_store.c \
	vnet/model/field_target.c \
	vnet/model/field_text.c vnet/model/field_value.h \
	vnet/model/field_word.c \
	vnet/model/marks.c vnet/model/marks.h \
	vnet/model/index.c vnet/model/index.h vnet/model/index_private.h \
	vnet/model/index_counts.c \
	vnet/model/index_facts.c \
	vnet/model/index_ranges.c \
	vnet/model/index_refs.c \
	vnet/model/ip_pool.c vnet/model/ip_pool.h \
	vnet/model/model.c vnet/model/model.h \
	vnet/model/condition.c vnet/model/condition.h \
	vnet/model/model_json.c vnet/model/model_json.h \
	vnet/model/model_load.c \
	vnet/model/object.c vnet/model/object.h \
	vnet/model/principal.c vnet/model/principal.h \
	vnet/model/public_mac.h \
	vnet/model/router_mac.h \
	vnet/model/services.c vnet/model/services.h \
	vnet/model/sg_set.c vnet/model/sg_set.h \
	vnet/model/sg_shadow.c \
	vnet/model/subnet_ip.c vnet/model/subnet_ip.h \
	vnet/model/transaction.c vnet/model/transaction.h vnet/model/transaction_state.h \
	vnet/model/transaction_op.c vnet/model/transaction_op_private.h \
	vnet/model/transaction_op_add.c \
	vnet/model/transaction_op_read.c \
	vnet/model/transaction_op_values.c \
	vnet/model/transaction_upgrade.c \
	vnet/model/transaction_validate.c \
	vnet/model/type_eip.c \
	vnet/model/type_host.c \
	vnet/model/type_igw.c \
	vnet/model/type_lb.c \
	vnet/model/type_listener.c \
	vnet/model/type_natgw.c \
	vnet/model/type_pool.c \
	vnet/model/type_port.c \
	vnet/model/type_route.c \
	vnet/model/type_rtb.c \
	vnet/model/type_sg.c \
	vnet/model/type_sg_rule.c \
	vnet/model/type_subnet.c \
	vnet/model/type_target.c \
	vnet/model/type_tenant.c \
	vnet/model/type_tg.c \
	vnet/model/type_vpc.c \
	vnet/model/types.h
