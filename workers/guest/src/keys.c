/*
 * What the supervisor does with each key of a unit file. The two lists are the table the manual shows: a key of the first is obeyed, one of
 * the second is accepted with a warning in the journal, any other is unknown, which is said as well. Keys that begin with `X-` are
 * for other programs and never warned about.
 */
#include <string.h>

#include "unit-file.h"

typedef struct {
  const char *section;
  const char *const *supported, *const *not_enforced;
} SectionKeys;

static const char *const unit_supported[] = {
    "Description", "Documentation", "Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Conflicts", "Before", "After", "OnFailure", "OnSuccess", "DefaultDependencies",
    "StartLimitIntervalSec", "StartLimitBurst", "StartLimitInterval", "RefuseManualStart", "RefuseManualStop", "ConditionPathExists", "ConditionPathIsDirectory",
    "ConditionPathIsSymbolicLink", "ConditionDirectoryNotEmpty", "ConditionFileNotEmpty", "ConditionFileIsExecutable", "ConditionVirtualization", "ConditionKernelCommandLine", "ConditionHost",
    "ConditionUser", "ConditionFirstBoot", "ConditionACPower", "ConditionPathExistsGlob", "SourcePath", NULL};
static const char *const unit_not_enforced[] = {"PropagatesReloadTo", "ReloadPropagatedFrom", "PropagatesStopTo", "JoinsNamespaceOf", "RequiresMountsFor", "WantsMountsFor", "IgnoreOnIsolate",
                                                "JobTimeoutSec", "JobRunningTimeoutSec", "JobTimeoutAction", "StartLimitAction", "FailureAction", "SuccessAction", "CollectMode", "OnFailureJobMode",
                                                "ConditionNeedsUpdate", "ConditionCapability", "ConditionSecurity", "ConditionPathIsMountPoint", "ConditionPathIsReadWrite", "ConditionArchitecture",
                                                "ConditionKernelVersion", "ConditionMemory", "ConditionCPUs", "ConditionEnvironment", "ConditionGroup", "ConditionControlGroupController", "StopWhenUnneeded", "AllowIsolate", "AssertPathExists", "Upholds", NULL};

static const char *const service_supported[] = {
    "Type", "ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition", "ExecReload", "ExecStop", "ExecStopPost", "Environment", "EnvironmentFile", "PassEnvironment", "UnsetEnvironment", "User",
    "Group", "SupplementaryGroups", "DynamicUser", "WorkingDirectory", "RootDirectory", "UMask", "Nice", "Restart", "RestartSec", "RestartPreventExitStatus", "RestartForceExitStatus", "SuccessExitStatus",
    "RemainAfterExit", "PIDFile", "NotifyAccess", "TimeoutSec", "TimeoutStartSec", "TimeoutStopSec", "KillMode", "KillSignal", "SendSIGKILL", "StandardInput", "StandardOutput", "StandardError",
    "TTYPath", "TTYReset", "SyslogIdentifier", "RuntimeDirectory", "RuntimeDirectoryMode", "RuntimeDirectoryPreserve", "StateDirectory", "StateDirectoryMode", "CacheDirectory",
    "CacheDirectoryMode", "LogsDirectory", "LogsDirectoryMode", "ConfigurationDirectory", "ConfigurationDirectoryMode", "LimitNOFILE", "LimitNPROC", "LimitCORE", "LimitMEMLOCK", "LimitAS", "LimitFSIZE",
    "MemoryMax", "MemoryHigh", "TasksMax", "CPUWeight", "NoNewPrivileges", "AmbientCapabilities", "CapabilityBoundingSet", "StartLimitInterval", "StartLimitBurst", "StartLimitIntervalSec", 
    "IgnoreSIGPIPE", "GuessMainPID", NULL};
static const char *const service_not_enforced[] = {
    "PrivateTmp", "PrivateDevices", "PrivateNetwork", "PrivateUsers", "PrivateMounts", "PrivateIPC", "ProtectSystem", "ProtectHome", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs",
    "ProtectControlGroups", "ProtectClock", "ProtectHostname", "ProtectProc", "ProcSubset", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "RemoveIPC",
    "LockPersonality", "MemoryDenyWriteExecute", "SystemCallFilter", "SystemCallArchitectures", "SystemCallErrorNumber", "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths", "BindPaths",
    "BindReadOnlyPaths", "TemporaryFileSystem", "DeviceAllow", "DevicePolicy", "IPAddressAllow", "IPAddressDeny", "CPUQuota", "CPUAffinity", "IOWeight", "IOSchedulingClass", "IOSchedulingPriority",
    "CPUSchedulingPolicy", "CPUSchedulingPriority", "OOMScoreAdjust", "OOMPolicy", "WatchdogSec", "Delegate", "LoadCredential", "SetCredential", "KeyringMode", "UtmpIdentifier", "UtmpMode", "PAMName",
    "BusName", "TTYVTDisallocate", "FinalKillSignal", "TimeoutAbortSec", "RuntimeMaxSec", "SecureBits", "MountAPIVFS", "LogLevelMax", "LogRateLimitIntervalSec", "LogRateLimitBurst", "MemoryAccounting",
    "CPUAccounting", "TasksAccounting", "IOAccounting", "FileDescriptorStoreMax", "Sockets", "RootImage", "MountFlags", "LimitSTACK", "LimitDATA", "LimitRSS", "LimitCPU", "LimitNICE", "LimitRTPRIO",
    "MemoryLow", "MemoryMin", "MemorySwapMax", "StandardInputText", "SyslogFacility", "SyslogLevel", "RestartSteps", "RestartMaxDelaySec", "ExitType", "ReloadSignal", "Slice", "RestartMode", "TTYVHangup", NULL};

static const char *const timer_supported[] = {"OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec", "OnCalendar", "Unit", "Persistent", "AccuracySec", NULL};
static const char *const timer_not_enforced[] = {"RandomizedDelaySec", "FixedRandomDelay", "WakeSystem", "RemainAfterElapse", "OnClockChange", "OnTimezoneChange", NULL};

static const char *const socket_supported[] = {"ListenStream", "ListenDatagram", "Accept", "Service", "SocketMode", "SocketUser", "SocketGroup", "Backlog", NULL};
static const char *const socket_not_enforced[] = {"ListenFIFO", "ListenSequentialPacket", "FileDescriptorName", "BindIPv6Only", "NoDelay", "ReusePort", "FreeBind", "PassCredentials", "MaxConnections",
                                                  "KeepAlive", "Symlinks", "DirectoryMode", "RemoveOnStop", NULL};

static const char *const install_supported[] = {"WantedBy", "RequiredBy", "Alias", "Also", "DefaultInstance", "UpheldBy", NULL};
static const char *const none[] = {NULL};

static const SectionKeys sections[] = {{"Unit", unit_supported, unit_not_enforced},         {"Service", service_supported, service_not_enforced}, {"Timer", timer_supported, timer_not_enforced},
                                       {"Socket", socket_supported, socket_not_enforced}, {"Install", install_supported, none}};

static bool among(const char *const *names, const char *key) {
  for (; *names; names++)
    if (!strcmp(*names, key)) return true;
  return false;
}

KeySupport key_support(const char *section, const char *key) {
  if (starts_with(key, "X-") || starts_with(section, "X-")) return KEY_SUPPORTED;
  for (size_t i = 0; i < COUNT_OF(sections); i++) {
    if (strcmp(sections[i].section, section)) continue;
    if (among(sections[i].supported, key)) return KEY_SUPPORTED;
    return among(sections[i].not_enforced, key) ? KEY_NOT_ENFORCED : KEY_UNKNOWN;
  }
  return KEY_UNKNOWN;
}
