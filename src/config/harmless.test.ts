// Everything that a project may set without approval, listed in full so that changes are seen in review.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHarmlessVariable } from './keys/harmless-variables.ts';
import { type Trust, trustText } from './keys/key.ts';
import { keyNames, keyOf } from './keys/table.ts';

const of = (wanted: (trust: Trust) => boolean) =>
  keyNames.filter((name) => wanted(keyOf(name).trust)).sort();

test('exactly these keys apply from a project file whatever their value', () => {
  assert.deepEqual(
    of((trust) => trust === 'harmless'),
    [
      'container.alias',
      // coi build runs its recipe in a guarded container, and only when the user requests it.
      'container.build.cloud_init',
      'container.build.commands',
      'container.build.compression',
      // Images on this host were made or copied by the user.
      'container.image',
      'container.persistent',
      'defaults.model',
      'incus.code_uid',
      'incus.code_user',
      'incus.disable_shift',
      'limits.runtime.stop_graceful',
      'network.refresh_interval_minutes',
      'network.use_sudo',
      'paths.preserve_workspace_path',
      // Lists that can only grow.
      'security.additional_protected_paths',
      'security.secret_paths',
      'shell.use_tmux',
      'timezone.mode',
      'timezone.name',
      'tool.auto_context',
      'tool.claude.effort_level',
      'tool.claude.model',
      'tool.codex.model',
      'tool.codex.reasoning_effort',
      'tool.context_json',
      'tool.name',
    ],
  );
});

test('these keys apply from a project file only if they loosen nothing', () => {
  const conditional = of(
    (trust) => !(['harmless', 'user', 'approve'] as readonly unknown[]).includes(trust),
  );
  assert.deepEqual(
    conditional.map((name) => `${name}: ${trustText(keyOf(name).trust)}`),
    [
      'container.build.base: here',
      'container.build.script: inside',
      'container.docker: only-false',
      'container.ready_timeout: lower',
      'container.shutdown_timeout: lower',
      'container.stale_base_check: in this order: off, warn, error',
      'defaults.environment: environment',
      'limits.cpu.allowance: limit',
      'limits.cpu.count: limit',
      'limits.cpu.priority: limit',
      'limits.disk.max: limit',
      'limits.disk.priority: limit',
      'limits.disk.read: limit',
      'limits.disk.size: limit',
      'limits.disk.tmpfs_size: limit',
      'limits.disk.write: limit',
      'limits.memory.enforce: in this order: soft, hard',
      'limits.memory.limit: limit',
      'limits.memory.swap: limit',
      'limits.runtime.auto_stop: only-true',
      'limits.runtime.max_duration: limit',
      'limits.runtime.max_processes: limit',
      'monitoring.auto_kill_on_critical: only-true',
      'monitoring.auto_pause_on_high: only-true',
      'monitoring.bait: only-true',
      'monitoring.enabled: only-true',
      'monitoring.file_read_rate_mb_per_sec: lower',
      'monitoring.file_read_threshold_mb: lower',
      'monitoring.forensics_on_kill: only-true',
      'monitoring.kill_grace_sec: lower',
      'monitoring.nft.dns_query_threshold: lower',
      'monitoring.nft.enabled: only-true',
      'monitoring.nft.log_dns_queries: only-true',
      'monitoring.poll_interval_sec: lower',
      'mounts.default: mounts',
      'network.allow_local_network_access: only-false',
      'network.allowed_domains: domains',
      'network.block_metadata_endpoint: only-true',
      'network.block_private_networks: only-true',
      'network.logging.enabled: only-true',
      'network.mode: in this order: open, restricted, allowlist',
      'security.protection: in this order: watch, guard',
      'shell.clipboard: only-false',
      'shell.links: only-false',
      'shell.notifications: only-false',
      'shell.title: only-false',
      'ssh.forward_agent: only-false',
      'tool.permission_mode: in this order: bypass, interactive',
    ],
  );
});

test('a variable is harmless only if it is on the list, and the list has none that programs obey', () => {
  for (const name of ['NODE_ENV', 'CI', 'TZ', 'LANG', 'LC_ALL', 'DEBUG', 'RUST_LOG', 'VITE_TITLE'])
    assert.equal(isHarmlessVariable(name), true, name);
  const obeyed = `
    PATH HOME SHELL ENV BASH_ENV BASH_FUNC_ls PROMPT_COMMAND PS4 IFS EDITOR VISUAL PAGER BROWSER TERMINFO
    LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT GCONV_PATH LOCPATH MALLOC_CONF TMPDIR XDG_CONFIG_HOME XDG_DATA_HOME
    NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NPM_CONFIG_REGISTRY npm_config_registry
    PYTHONPATH PYTHONSTARTUP PYTHONHOME PIP_INDEX_URL RUBYOPT PERL5OPT PERL5LIB JAVA_TOOL_OPTIONS GOFLAGS GOPROXY
    RUSTC_WRAPPER CARGO_HOME CARGO_BUILD_RUSTC GIT_SSH GIT_SSH_COMMAND GIT_CONFIG_COUNT GIT_CONFIG_KEY_0
    GIT_CONFIG_GLOBAL GIT_EXTERNAL_DIFF GIT_EDITOR GIT_PAGER GIT_ASKPASS GIT_PROXY_COMMAND SSH_ASKPASS SSH_AUTH_SOCK
    CLAUDE_CONFIG_DIR CLAUDE_CODE_USE_BEDROCK ANTHROPIC_BASE_URL ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN
    ANTHROPIC_CUSTOM_HEADERS ANTHROPIC_MODEL OPENAI_BASE_URL CODEX_HOME OPENCODE_CONFIG GEMINI_API_KEY
    AWS_ENDPOINT_URL AWS_PROFILE HTTPS_PROXY https_proxy ALL_PROXY NO_PROXY SSL_CERT_FILE REQUESTS_CA_BUNDLE
    CURL_HOME DOCKER_HOST KUBECONFIG IS_SANDBOX COI_SESSION node_env Ci
  `.match(/\S+/g);
  for (const name of obeyed ?? []) assert.equal(isHarmlessVariable(name), false, name);
});
