# The keys of unit files that the service manager of the machine obeys, by section. Any other key draws a warning when the
# system is evaluated, so that nothing is silently ignored. The program's own table is workers/guest/src/keys.c.
let
  set = names: builtins.listToAttrs (map (name: { inherit name; value = true; }) (builtins.filter builtins.isString (builtins.split "[ \n]+" names)));
in
{
  Unit = set ''
    After Before BindsTo ConditionACPower ConditionDirectoryNotEmpty ConditionFileIsExecutable
    ConditionFileNotEmpty ConditionFirstBoot ConditionHost ConditionKernelCommandLine ConditionPathExists
    ConditionPathExistsGlob ConditionPathIsDirectory ConditionPathIsSymbolicLink ConditionUser
    ConditionVirtualization Conflicts DefaultDependencies Description Documentation OnFailure OnSuccess PartOf
    RefuseManualStart RefuseManualStop Requires Requisite SourcePath StartLimitBurst StartLimitInterval
    StartLimitIntervalSec Wants
  '';
  Service = set ''
    AmbientCapabilities CPUWeight CacheDirectory CacheDirectoryMode CapabilityBoundingSet
    ConfigurationDirectory ConfigurationDirectoryMode DynamicUser Environment EnvironmentFile ExecCondition
    ExecReload ExecStart ExecStartPost ExecStartPre ExecStop ExecStopPost Group GuessMainPID IgnoreSIGPIPE
    KillMode KillSignal LimitAS LimitCORE LimitFSIZE LimitMEMLOCK LimitNOFILE LimitNPROC LogsDirectory
    LogsDirectoryMode MemoryHigh MemoryMax Nice NoNewPrivileges NotifyAccess PIDFile PassEnvironment
    RemainAfterExit Restart RestartForceExitStatus RestartPreventExitStatus RestartSec RootDirectory
    RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve SendSIGKILL StandardError StandardInput
    StandardOutput StartLimitBurst StartLimitInterval StartLimitIntervalSec StateDirectory StateDirectoryMode
    SuccessExitStatus SupplementaryGroups SyslogIdentifier TTYPath TTYReset TasksMax TimeoutSec
    TimeoutStartSec TimeoutStopSec Type UMask UnsetEnvironment User WorkingDirectory
  '';
  Timer = set ''
    AccuracySec OnActiveSec OnBootSec OnCalendar OnStartupSec OnUnitActiveSec OnUnitInactiveSec Persistent
    Unit
  '';
  Socket = set ''
    Accept Backlog ListenDatagram ListenStream Service SocketGroup SocketMode SocketUser
  '';
}
