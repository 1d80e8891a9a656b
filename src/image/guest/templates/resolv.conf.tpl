{% if config_get("user.coi.nameserver", "") %}nameserver {{ config_get("user.coi.nameserver", "") }}
{% endif %}